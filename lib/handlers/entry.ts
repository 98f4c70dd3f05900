/** A registered handler, in whatever form it was registered. */
import { types } from 'node:util'
import { DURATION_FORM, type Duration, parseDuration } from '../base/duration.js'
import { ConfigurationError } from '../base/errors.js'
import { isReadable, shown, unknownOption } from '../base/options.js'
import { unknownKey } from '../base/suggestions.js'
import type { StandardSchema } from '../message/standard-schema.js'
import type { DeliveryContext } from './context.js'
import type { HandlerFunction, HandlerOptions, MessageHandler } from './types.js'

/** The forms in which a handler may be given. Its message type was checked at registration. */
// biome-ignore lint/suspicious/noExplicitAny: the registry holds handlers of all message types.
export type AnyHandler = HandlerFunction<any> | MessageHandler<any>

/** A handler in the registry. */
export interface HandlerEntry {
  /** The message type, or a pattern such as `Email*`. */
  readonly type: string
  /** What people call it: the given name, else that of the function or class, else `default`. */
  readonly name: string
  /** Whether its name was given, not taken from its code. */
  readonly named: boolean
  /**
   * Distinguishes it from every other handler, and is what a message remembers once it has succeeded: its type or
   * pattern, and `#` with the name if one was given. It contains no name of the code: those differ in the next build.
   */
  readonly identity: string
  /** What was registered. */
  readonly handler: AnyHandler
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
 * @throws ConfigurationError if `handler` is not one, or its name or timeout is invalid.
 */
export function toEntry(
  type: string,
  handler: AnyHandler,
  options: HandlerOptions = {},
  schema?: StandardSchema,
): HandlerEntry {
  if (typeof type !== 'string' || type === '') {
    throw refused('the message type of a handler must be a string, such as "EmailMessage", "Email*" or "*"')
  }
  if (typeof handler !== 'function' && typeof handler?.handle !== 'function') {
    throw refused(
      `the handler of ${type} must be a function, or an object with a method handle(message, envelope, context)`,
    )
  }
  if (isClass(handler)) {
    throw refused(
      `the handler of ${type} is the class ${handler.name || 'without a name'}: give an instance of it, made with new`,
    )
  }
  if (types.isGeneratorFunction(typeof handler === 'function' ? handler : handler.handle)) {
    throw refused(`the handler of ${type} is a generator, which nobody would run: write it without the star`)
  }
  if (type.slice(0, -1).includes('*')) {
    throw refused(`the pattern ${type} never matches: a star stands at the end, as in "Email*", or alone`)
  }
  mustBeOptions(`the handler of ${type}`, options, OPTIONS)
  const given = nameOf(type, handler, options)
  const shared = {
    type,
    named: given !== undefined,
    identity: given === undefined ? type : `${type}#${given}`,
    handler,
    schema,
    timeout: timeoutOf(type, options.timeout ?? (handler as MessageHandler).timeout),
  }
  if (typeof handler === 'function') {
    const name = given ?? (handler.name || 'default')
    return { ...shared, name, classifyError: undefined, run: (context) => handler(context.message, context, context) }
  }
  return {
    ...shared,
    name: given ?? classNameOf(handler),
    classifyError: handler.classifyError?.bind(handler),
    run: (context) => handler.handle(context.message, context, context),
  }
}

/** A class cannot be called; one compiled to a function cannot be told from one, and a method may be called `class`. */
function isClass(handler: AnyHandler): boolean {
  if (typeof handler !== 'function' || !/^class\b/.test(Function.prototype.toString.call(handler))) return false
  return Object.hasOwn(handler, 'prototype')
}

const OPTIONS = ['name', 'timeout']

/** Refuses options that would be ignored, such as a `timeout` outside its object. */
export function mustBeOptions(whose: string, options: unknown, known: readonly string[]): void {
  if (!isReadable(options)) {
    throw refused(
      `the options of ${whose}: got ${typeof options === 'object' ? shown(options) : typeof options}, wants an object { ${known.join(', ')} }`,
    )
  }
  const stray = unknownKey(options, known)
  if (stray !== undefined) throw unknownOption(stray, known, ` of ${whose}`)
}

/** The given name; a function's own name does not count. */
function nameOf(type: string, handler: AnyHandler, options: HandlerOptions): string | undefined {
  const given: unknown = options.name || (typeof handler === 'function' ? undefined : handler.name) || undefined
  if (given === undefined || typeof given === 'string') return given
  throw refused(`the name of the handler of ${type}: got ${typeof given}, wants a string`)
}

function timeoutOf(type: string, timeout: Duration | undefined): number | undefined {
  if (timeout === undefined) return undefined
  const milliseconds = parseDuration(timeout)
  if (milliseconds !== undefined) return milliseconds
  throw refused(`the timeout of the handler of ${type}: got ${String(timeout)}, wants ${DURATION_FORM}`)
}

function classNameOf(handler: object): string {
  const name = handler.constructor?.name
  return name === undefined || name === '' || name === 'Object' ? 'default' : name
}

/** The refusal of a registration. */
export function refused(problem: string): ConfigurationError {
  return new ConfigurationError(problem, { code: 'SYMPHONY_INVALID_HANDLER' })
}
