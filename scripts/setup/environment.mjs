/** What configures Symphony on this machine must not reach tests and demo: they bring their own. */

/**
 * Changes to the environment that remove such variables.
 *
 * @param {string[]} [kept] Names that stay.
 * @returns {Record<string, undefined>}
 */
export function withoutConfiguration(kept = []) {
  const names = Object.keys(process.env).filter((name) => /^(SYMPHONY_|POSTGRES_|DATABASE_URL$)/.test(name))
  return Object.fromEntries(names.filter((name) => !kept.includes(name)).map((name) => [name, undefined]))
}
