/** How a command ends: the exit codes, and which one an error means. */

/** What scripts may rely on. */
export const EXIT = {
  done: 0,
  /** The operation failed, or what was examined is not well. */
  failed: 1,
  /** A command, an option or a value that does not exist or does not fit. */
  usage: 2,
  /** The database or the configuration cannot be used. */
  unusable: 3,
  /** What was named does not exist. */
  notFound: 4,
  /** It wants a yes, and nobody was there to give it. */
  refused: 5,
  /** It works, but not well; only with `--strict`. */
  degraded: 6,
} as const

/** One of the exit codes. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The end of a command that could not do what it was asked to do. */
export class Exit extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

const CODES: Record<string, ExitCode> = {
  SYMPHONY_UNKNOWN_SCHEDULE: EXIT.notFound,
  SYMPHONY_UNKNOWN_TRANSPORT: EXIT.notFound,
  SYMPHONY_UNKNOWN_OPTION: EXIT.usage,
  SYMPHONY_INVALID_CRON: EXIT.usage,
  SYMPHONY_INVALID_QUERY: EXIT.usage,
  SYMPHONY_INVALID_SCHEDULE: EXIT.usage,
  SYMPHONY_UNKNOWN_TIMEZONE: EXIT.usage,
  SYMPHONY_SERIALIZATION_FAILED: EXIT.usage,
}

const UNUSABLE =
  /^SYMPHONY_(AUTHENTICATION_FAILED|CERTIFICATE_REFUSED|CONNECTION_FAILED|DATABASE_\w+|INVALID_CONFIGURATION|MIGRATION_MISSING|PERMISSION_DENIED|TIMEOUT|UNSUPPORTED_PLATFORM)$/

/** The exit code of anything thrown. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof Exit) return thrown.exitCode
  const { code = '' } = Object(thrown) as { code?: string }
  return CODES[code] ?? (UNUSABLE.test(code) ? EXIT.unusable : EXIT.failed)
}
