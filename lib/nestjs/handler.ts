/** Methods of providers as handlers. */
import type { HandlerFunction, HandlerOptions } from '../handlers/types.js'
import type { MessageDefinition, MessageOf } from '../message/define.js'
import type { MessageShape } from '../message/message.js'
import type { DeclaredMessage, HandledType, Messages } from '../message/messages.js'

/** Goes on a method that takes such messages. */
export type HandlerDecorator<M extends MessageShape> = <Method extends HandlerFunction<M>>(
  prototype: object,
  name: string | symbol,
  method: TypedPropertyDescriptor<Method>,
) => void

/** A method of a provider and what it handles. */
export interface HandlerMethod {
  /** Its name. */
  method: string | symbol
  /** What it handles. */
  subject: string | MessageDefinition
  /** How it is registered. */
  options: HandlerOptions | undefined
}

/** Registered, so that the decorators of one copy of the package are known to the module of another. */
const METHODS: unique symbol = Symbol.for('leadmap.symphony.nestjs.handlers')

interface Marked {
  [METHODS]?: readonly HandlerMethod[]
}

/** Makes a method the handler of a declared message, typed by {@link Messages}. */
export function Handler<Type extends keyof Messages>(
  type: Type & string,
  options?: HandlerOptions,
): HandlerDecorator<DeclaredMessage<Type>>
/** Makes a method the handler of a defined message: typed by its schema, and called only with what the schema accepts. */
export function Handler<Definition extends MessageDefinition>(
  definition: Definition,
  options?: HandlerOptions,
): HandlerDecorator<MessageOf<Definition>>
/**
 * Makes a method of a provider or controller the handler of a message type or pattern. It gets what every handler gets,
 * `(message, context)`, and counts as one: if it throws, the run has failed. Guards, pipes and interceptors do not apply.
 *
 * The provider must be a singleton, which is Nest's default.
 *
 * @param options as for `registerHandler()`: of several handlers of one type, all but one need a `name`.
 *
 * @example
 * class MailService {
 *   @Handler('WelcomeMail')
 *   async welcome(message: Message, context: HandlerContext) { … }
 * }
 */
// biome-ignore lint/suspicious/noExplicitAny: the method says what its message is.
export function Handler(type: HandledType, options?: HandlerOptions): HandlerDecorator<any>
export function Handler(subject: string | MessageDefinition, options?: HandlerOptions): HandlerDecorator<MessageShape> {
  return (prototype, method) => {
    const value = [...handlerMethods(prototype), { method, subject, options }]
    Object.defineProperty(prototype, METHODS, { value, configurable: true })
  }
}

/** The methods of a prototype that are handlers, inherited ones included. */
export function handlerMethods(prototype: Marked): readonly HandlerMethod[] {
  return prototype[METHODS] ?? []
}
