/** A registered handler, whatever form it was registered in. */
import { DURATION_FORM, type Duration, parseDuration } from '../duration.js'
import { ConfigurationError } from '../errors.js'
import type { StandardSchema } from '../standard-schema.js'
import type { DeliveryContext } from './context.js'
import type { HandlerFunction, HandlerOptions, MessageHandler } from './types.js'

/** What a handler may be given as. Its message type was checked where it was registered. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds handlers of all message types.
export type AnyHandler = HandlerFunction<any> | MessageHandler<any>

/** A handler in the registry. */
export interface HandlerEntry {
  /** The message type, or a pattern such as `Email*`. */
  readonly type: string
  /** Tells it apart from other handlers of the type. */
  readonly name: string
  /** Whether its name was given with it, and not taken from its code. */
  readonly named: boolean
  /** How long it may run, in milliseconds; `undefined`: as `worker.handlerTimeout` says. */
  readonly timeout: number | undefined
  /** Validates the payload before the handler gets it. */
  readonly schema: StandardSchema | undefined
  /** Decides about its errors. */
  readonly classifyError: MessageHandler['classifyError']
  /** Runs it. */
  run(context: DeliveryContext): unknown
}

/**
 * The entry of a handler.
 *
 * @throws ConfigurationError when `handler` is none, or its timeout is no duration.
 */
export function toEntry(
  type: string,
  handler: AnyHandler,
  options: HandlerOptions = {},
  schema?: StandardSchema,
): HandlerEntry {
  if (typeof type !== 'string' || type === '') {
    throw refused('the message type of a handler must be text, such as "EmailMessage", "Email*" or "*"')
  }
  const named = Boolean(options.name)
  const shared = {
    type,
    named,
    schema,
    timeout: timeoutOf(type, options.timeout ?? (handler as MessageHandler)?.timeout),
  }
  if (typeof handler === 'function') {
    const name = options.name || handler.name || 'default'
    return { ...shared, name, classifyError: undefined, run: (context) => handler(context.message, context, context) }
  }
  if (typeof handler?.handle !== 'function') {
    throw refused(
      `the handler of ${type} must be a function, or an object with a method handle(message, envelope, context)`,
    )
  }
  return {
    ...shared,
    name: options.name || handler.name || classNameOf(handler),
    classifyError: handler.classifyError?.bind(handler),
    run: (context) => handler.handle(context.message, context, context),
  }
}

function timeoutOf(type: string, timeout: Duration | undefined): number | undefined {
  if (timeout === undefined) return undefined
  const milliseconds = parseDuration(timeout)
  if (milliseconds !== undefined) return milliseconds
  throw refused(`the timeout of the handler of ${type} must be ${DURATION_FORM}, got ${String(timeout)}`)
}

function classNameOf(handler: object): string {
  const name = handler.constructor?.name
  return name === undefined || name === '' || name === 'Object' ? 'default' : name
}

function refused(problem: string): ConfigurationError {
  return new ConfigurationError(problem, { code: 'SYMPHONY_INVALID_HANDLER' })
}
