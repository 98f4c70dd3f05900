/** The messages of an application by name, for those who declare them. */
import type { DefinedMessage } from './define.js'

/**
 * The message types of an application and their payloads. Empty, any type may be dispatched; once it is declared, a type
 * that is not in it, or another payload, is a compile error in `dispatch()`, `schedule()` and `registerHandler()`. An
 * instance may have types of its own: `createSymphony<ReportMessages>()`.
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

/** `Yes` where `Types` has any, else `No`. */
export type Declared<Types, Yes, No> = [keyof Types] extends [never] ? No : Yes

/** What a handler may be registered for: a declared type or a pattern; any text where none is declared. */
export type HandledType<Types = Messages> = Declared<Types, Extract<keyof Types, string> | `${string}*`, string>

/** A declared message as its handlers get it. */
export type DeclaredMessage<Type extends keyof Types, Types = Messages> = DefinedMessage<Type & string, Types[Type]>
