/**
 * The errors of this package. Each has a `code` that is the same in every version and a message that says what to do if
 * anything can be done. `instanceof` works across hot reloads and copies of the package.
 */
import { brand, hasBrand } from './brand.js'

/** What every error takes in addition to its message. */
export interface ErrorOptions {
  /** The stable code; each class has a default. */
  code?: string
  /** Facts for programs, such as `{ path: 'payload.to' }`. */
  details?: unknown
  /** The error behind this one. */
  cause?: unknown
}

/** The base of all errors of this package. */
export class SymphonyError extends Error {
  static {
    brand(SymphonyError, 'SymphonyError')
  }

  /** The stable code, such as `SYMPHONY_INVALID_PRIORITY`. */
  readonly code: string
  /** Facts for programs; `null` if there are none. */
  readonly details: unknown

  constructor(code: string, message: string, options: Omit<ErrorOptions, 'code'> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? null
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that was asked, which may be a subclass.
    return hasBrand(this, value)
  }

  /** What a log or an HTTP answer may show: no stack, no cause. */
  toJSON(): { name: string; code: string; message: string; details: unknown } {
    return { name: this.name, code: this.code, message: this.message, details: this.details }
  }
}

/** One thing that a schema found wrong. */
export interface ValidationIssue {
  /** Where, as `payload.user.email`. */
  path: string
  /** What is wrong there. */
  message: string
}

/** A message that cannot be dispatched, or that its handler's schema refuses. Never retried. */
export class MessageValidationError extends SymphonyError {
  static {
    brand(MessageValidationError, 'MessageValidationError')
  }

  constructor(message: string, options: ErrorOptions = {}) {
    super(options.code ?? 'SYMPHONY_INVALID_MESSAGE', message, options)
  }

  /** Where in the message, as `payload.user.name`; `null` for the whole message. */
  get path(): string | null {
    return this.#fact<string>('path') ?? null
  }

  /** What the schema found, one entry per problem; empty without a schema. */
  get issues(): ValidationIssue[] {
    return this.#fact<ValidationIssue[]>('issues') ?? []
  }

  #fact<T>(key: string): T | undefined {
    return (this.details as Record<string, T> | null)?.[key]
  }
}

/** An invalid configuration value, option or set-up. */
export class ConfigurationError extends SymphonyError {
  static {
    brand(ConfigurationError, 'ConfigurationError')
  }

  constructor(message: string, options: ErrorOptions = {}) {
    super(options.code ?? 'SYMPHONY_INVALID_CONFIGURATION', message, options)
  }
}

/** A transport that did not do what it was asked to do: unreachable, refused, too slow, not migrated. */
export class TransportError extends SymphonyError {
  static {
    brand(TransportError, 'TransportError')
  }

  constructor(message: string, options: ErrorOptions = {}) {
    super(options.code ?? 'SYMPHONY_TRANSPORT_FAILED', message, options)
  }
}

/**
 * Thrown by a handler to decide itself whether the message is retried.
 *
 * `details.retryAfter` (seconds, or an HTTP date) postpones the next try, like the header of that name.
 */
export class HandlerError extends SymphonyError {
  static {
    brand(HandlerError, 'HandlerError')
  }

  /** Whether the message may be retried. */
  readonly retryable: boolean

  constructor(message: string, retryable = true, details?: unknown, options: ErrorOptions = {}) {
    super(options.code ?? 'SYMPHONY_HANDLER_FAILED', message, { ...options, details: details ?? options.details })
    this.retryable = retryable
  }
}

/** A handler that ran longer than its timeout; the reason of its aborted `context.signal`. Retryable. */
export class HandlerTimeoutError extends HandlerError {
  static {
    brand(HandlerTimeoutError, 'HandlerTimeoutError')
  }

  constructor(message: string, details?: unknown) {
    super(message, true, details, { code: 'SYMPHONY_HANDLER_TIMEOUT' })
  }
}

/** Text that should be JSON of a certain shape and is not. */
export class SerializationError extends SymphonyError {
  static {
    brand(SerializationError, 'SerializationError')
  }

  constructor(message: string, options: ErrorOptions = {}) {
    super(options.code ?? 'SYMPHONY_SERIALIZATION_FAILED', message, options)
  }
}

/** A schedule that cannot be stored or run. */
export class SchedulerError extends SymphonyError {
  static {
    brand(SchedulerError, 'SchedulerError')
  }

  constructor(message: string, options: ErrorOptions = {}) {
    super(options.code ?? 'SYMPHONY_SCHEDULER_FAILED', message, options)
  }
}
