/** As pino has it. */
type Write = (fields: object | undefined, message: string) => void

export declare const log: Record<'debug' | 'info' | 'warn' | 'error', Write> & {
  isLevelEnabled(level: string): boolean
}
