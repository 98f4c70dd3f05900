/** The messages of an application by name, for those who declare them. */
import type { DefinedMessage } from './define.js'

/**
 * The message types of an application and their payloads. Empty, any type may be dispatched; once it is declared, a type
 * that is not in it, or another payload, is a compile error in `dispatch()`, `schedule()` and `registerHandler()`.
 *
 * @example
 * declare module '@leadmap/symphony' {
 *   interface Messages {
 *     WelcomeMail: { to: string }
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications fill it.
export interface Messages {}

/** `Yes` where an application has declared its messages, else `No`. */
export type Declared<Yes, No> = [keyof Messages] extends [never] ? No : Yes

/** What a handler may be registered for: a declared type or a pattern; any text where none is declared. */
export type HandledType = Declared<Extract<keyof Messages, string> | `${string}*`, string>

/** A declared message as its handlers get it. */
export type DeclaredMessage<Type extends keyof Messages> = DefinedMessage<Type & string, Messages[Type]>
