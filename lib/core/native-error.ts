/**
 * Errors of the native core as the classes of this package.
 *
 * The core can throw only plain errors, so it puts class, code, message and details as JSON into the message.
 */
import {
  ConfigurationError,
  HandlerError,
  MessageValidationError,
  SchedulerError,
  SerializationError,
  SymphonyError,
  TransportError,
} from '../base/errors.js'

/** An error as the core writes it. */
export interface NativeFailure {
  class: string
  code: string
  message: string
  details?: unknown
}

/** The error that the core described. Created here, so that its stack is the caller's. */
export function toError(failure: NativeFailure): SymphonyError {
  const { code, message, details } = failure
  switch (failure.class) {
    case 'MessageValidationError':
      return new MessageValidationError(message, { code, details })
    case 'ConfigurationError':
      return new ConfigurationError(message, { code, details })
    case 'TransportError':
      return new TransportError(message, { code, details })
    case 'HandlerError':
      return new HandlerError(message, true, details, { code })
    case 'SerializationError':
      return new SerializationError(message, { code, details })
    case 'SchedulerError':
      return new SchedulerError(message, { code, details })
    default:
      return new SymphonyError(code, message, { details })
  }
}

/**
 * What the core threw, as an error of this package. An unexpected error (a bug) becomes the `cause`.
 */
export function fromNative(thrown: unknown): SymphonyError {
  if (thrown instanceof SymphonyError) return thrown
  const failure = parse(thrown)
  if (failure !== undefined) return toError(failure)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new SymphonyError('SYMPHONY_INTERNAL', `the native core failed: ${message}`, { cause: thrown })
}

function parse(thrown: unknown): NativeFailure | undefined {
  if (!(thrown instanceof Error) || !thrown.message.startsWith('{')) return undefined
  try {
    return (JSON.parse(thrown.message) as { symphony?: NativeFailure }).symphony
  } catch {
    return undefined
  }
}

/** Calls the core, translating what it throws. */
export function callNative<T>(call: () => T): T {
  try {
    return call()
  } catch (thrown) {
    throw fromNative(thrown)
  }
}

/** Awaits the core, translating what it rejects with. The error is created in the awaiting frame: its stack is async. */
export async function awaitNative<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (thrown) {
    throw fromNative(thrown)
  }
}
