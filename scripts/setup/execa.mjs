/** The library that runs programs, loaded at its first use: on a bare machine `npm ci` comes before. */
export const loadExeca = async () => (await import('execa')).execa
