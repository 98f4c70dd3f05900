/** One logger for the package, replaceable by the application's own. It never sees the contents of a payload. */
import { ConfigurationError } from './errors.js'
import { ProcessSlot } from './process-state.js'
import { isThenable } from './thenable.js'

/** Facts that go with a log line. */
export type LogFields = Record<string, unknown>

/** What the package writes to. A pino or winston instance needs one line of adapter. */
export interface Logger {
  /** Details for debugging. */
  debug(message: string, fields?: LogFields): void
  /** What happens in normal operation. */
  info(message: string, fields?: LogFields): void
  /** What someone should look at. */
  warn(message: string, fields?: LogFields): void
  /** What went wrong. */
  error(message: string, fields?: LogFields): void
  /** Whether lines of a level are written at all, if the logger can say; other lines are then not even built. */
  enabled?(level: LogLevel): boolean
}

/** The severities, least first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** How {@link createLogger} writes. */
export interface LoggerOptions {
  /** The least severe level that is written; `logging.level` by default, which is `'warn'`. */
  level?: LogLevel | 'silent'
  /**
   * `'json'`: one JSON object per line; `'text'`: for people. `logging.format` by default: JSON if `NODE_ENV` is
   * `production`.
   */
  format?: 'json' | 'text'
}

/** Loggers that never throw. */
const RELIABLE = new WeakSet<Logger>()

/** What the configuration says of log lines. */
export interface LoggingSettings {
  /** The least severe level that is written. */
  level: LogLevel | 'silent'
  /** `'auto'`: JSON when `NODE_ENV` is `production`. */
  format: 'json' | 'text' | 'auto'
}

const USUAL: LoggingSettings = { level: 'warn', format: 'auto' }

/** A line that the core has written. */
export interface CoreLine {
  level: LogLevel
  message: string
  fields: LogFields
}

/** How old an answer of {@link Logger.enabled} may get, in milliseconds. */
const FRESH_MS = 1_000

/** The logger of one instance, and what its configuration says of log lines. */
export class Log {
  readonly #fields: LogFields
  #settings = USUAL
  #logger: Logger
  /** Writes what the core was asked for, at whatever level. */
  #coreLogger: Logger
  #tellLevel: (level: LogLevel | 'silent') => void = () => undefined
  #asked = 0

  /** @param fields stand in every line. */
  constructor(fields: LogFields = {}) {
    this.#fields = fields
    this.#logger = this.#usual()
    this.#coreLogger = this.#marked(this.console({ level: 'debug' }))
  }

  /** The current logger. Its methods never throw: what the logger refuses goes to the console. */
  get current(): Logger {
    return this.#logger
  }

  /** Replaces the logger; without an argument, restores the default. */
  replace(logger?: Logger): void {
    this.#logger = logger === undefined ? this.#usual() : this.#marked(reliable(logger))
    this.#coreLogger = logger === undefined ? this.#marked(this.console({ level: 'debug' })) : this.#logger
    this.askLevel()
  }

  /** Takes what the configuration says about log lines: it lies above the log and writes to it. */
  configure(settings: LoggingSettings): void {
    this.#settings = settings
    this.askLevel()
  }

  /** Calls `tell` with the level from which on lines of the core are wanted, now and whenever it may have changed. */
  watchLevel(tell: (level: LogLevel | 'silent') => void): void {
    this.#tellLevel = tell
    this.askLevel()
  }

  /** Asks the logger for its level again, if it has not been asked for a while: it may have been changed. */
  refreshLevel(): void {
    if (performance.now() - this.#asked >= FRESH_MS) this.askLevel()
  }

  /** Asks the logger for its level; if it cannot say, `logging.level` applies. */
  askLevel(): void {
    this.#asked = performance.now()
    const { enabled } = this.#logger
    const level = enabled === undefined ? this.#settings.level : LEVELS.find((one) => enabled(one))
    this.#tellLevel(level ?? 'silent')
  }

  /** Writes lines of the core, which has written only what it was asked for. Never throws. */
  writeCoreLines(lines: CoreLine[]): void {
    for (const { level, message, fields } of lines) this.#coreLogger[level](message, fields)
  }

  /** A logger that writes to the console. */
  console(options: LoggerOptions): Logger {
    const enabled = (level: LogLevel): boolean => {
      const least = options.level ?? this.#settings.level
      return least !== 'silent' && LEVELS.indexOf(level) >= LEVELS.indexOf(least)
    }
    const write = (level: LogLevel, message: string, fields?: LogFields): void => {
      if (!enabled(level)) return
      const format = options.format ?? formatOf(this.#settings.format)
      try {
        console[level](format === 'json' ? asJson(level, message, fields) : asText(message, fields))
      } catch {
        // If not even the console takes a line, nobody is left to tell.
      }
    }
    const logger: Logger = {
      debug: (message, fields) => write('debug', message, fields),
      info: (message, fields) => write('info', message, fields),
      warn: (message, fields) => write('warn', message, fields),
      error: (message, fields) => write('error', message, fields),
      enabled,
    }
    RELIABLE.add(logger)
    return logger
  }

  #usual(): Logger {
    return this.#marked(this.console({}))
  }

  #marked(logger: Logger): Logger {
    return Object.keys(this.#fields).length === 0 ? logger : withFields(logger, this.#fields)
  }
}

/** The log of an instance. */
export interface LogFunctions {
  /** The logger in force. Its methods never throw: what the logger refuses goes to the console. */
  getLogger(): Logger

  /**
   * Replaces the logger; without an argument, restores the default. If it throws or rejects, the line is written to the
   * console instead.
   *
   * @throws ConfigurationError naming the methods that it lacks.
   */
  setLogger(logger?: Logger): void
}

/** The functions over a log. */
export function logFunctions(log: Log): LogFunctions {
  return {
    getLogger: () => log.current,
    setLogger(logger) {
      if (logger !== undefined) mustBeLogger(logger)
      log.replace(logger)
    },
  }
}

function mustBeLogger(logger: Logger): void {
  const lacking = LEVELS.filter((level) => typeof logger?.[level] !== 'function')
  if (lacking.length === 0) return
  throw new ConfigurationError(
    `setLogger: the logger lacks ${lacking.join(', ')}: wants an object with debug(), info(), warn() and error()`,
  )
}

const slot = new ProcessSlot<Log>('log')

/** The log of the default instance, and of what belongs to no instance. */
export function processLog(): Log {
  return slot.get(() => new Log())
}

/** A logger that writes to the console. */
export function createLogger(options: LoggerOptions = {}): Logger {
  return processLog().console(options)
}

function formatOf(format: LoggingSettings['format']): 'json' | 'text' {
  if (format !== 'auto') return format
  return process.env.NODE_ENV === 'production' ? 'json' : 'text'
}

/** A logger whose failures do not reach its callers: it is called from timers and callbacks, where nobody catches. */
export function reliable(logger: Logger): Logger {
  if (RELIABLE.has(logger)) return logger
  const substitute = createLogger()
  let told = false
  const writeElsewhere = (level: LogLevel, message: string, fields: LogFields | undefined, error: unknown): void => {
    if (!told) substitute.error('the logger failed; its lines are written here', { error })
    told = true
    substitute[level](message, fields)
  }
  const write = (level: LogLevel): Logger['error'] => {
    return (message, fields) => {
      try {
        const written: unknown = logger[level](message, fields)
        if (!isThenable(written)) return
        written.then(undefined, (error: unknown) => writeElsewhere(level, message, fields, error))
      } catch (error) {
        writeElsewhere(level, message, fields, error)
      }
    }
  }
  const lines: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  if (typeof logger.enabled === 'function') lines.enabled = (level) => isEnabled(logger, level)
  RELIABLE.add(lines)
  return lines
}

/** If the logger cannot say, lines are built. */
function isEnabled(logger: Logger, level: LogLevel): boolean {
  try {
    return logger.enabled?.(level) !== false
  } catch {
    return true
  }
}

/** A logger that adds `fields` to every line. */
export function withFields(logger: Logger, fields: LogFields): Logger {
  return {
    debug: (message, more) => logger.debug(message, { ...fields, ...more }),
    info: (message, more) => logger.info(message, { ...fields, ...more }),
    warn: (message, more) => logger.warn(message, { ...fields, ...more }),
    error: (message, more) => logger.error(message, { ...fields, ...more }),
    ...(logger.enabled && { enabled: (level: LogLevel) => logger.enabled?.(level) !== false }),
  }
}

function asJson(level: LogLevel, message: string, fields?: LogFields): string {
  const line = { level, time: new Date().toISOString(), name: 'symphony', message }
  return stringify({ ...line, ...fields }) ?? JSON.stringify(line)
}

/** One line of facts, and below it the stacks of errors as a terminal shows them. */
function asText(message: string, fields?: LogFields): string {
  const known = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)
  const stacks = known.flatMap(([, value]) => stackOf(value) ?? [])
  const others = known.filter(([, value]) => stackOf(value) === undefined)
  const facts = others.map(([key, value]) => `${key}=${stringify(value) ?? '?'}`)
  return [['[symphony]', message, ...facts].join(' '), ...stacks].join('\n')
}

/** The stack of an error, or of what describes one; not of what cannot be read. */
function stackOf(value: unknown): string | undefined {
  try {
    const { stack } = Object(value) as { stack?: unknown }
    return typeof stack === 'string' && stack !== '' ? stack : undefined
  } catch {
    return undefined
  }
}

/** JSON, or `undefined` for what has none: a log line must not fail. */
function stringify(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, plain)
  } catch {
    return undefined
  }
}

/** Errors and big integers, which `JSON.stringify` would drop or refuse. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (!(value instanceof Error)) return value
  const { name, message, stack } = value
  return { name, message, code: (value as { code?: unknown }).code, stack }
}
