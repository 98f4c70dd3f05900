/** Who does something, and why. */
import { type Check, checked, words } from './options.js'

/** Who does something, and why: both are kept in the audit. */
export interface Because {
  /** Who, such as an address or an account. */
  actor?: string
  /** Why. */
  reason?: string
  /** In which role, such as the one that `authorize` has given. */
  role?: string
}

/** The checks of {@link Because}. */
export const BECAUSE: Record<keyof Because, Check> = { actor: words, reason: words, role: words }

/**
 * Who does something and why, as the core takes it.
 *
 * @throws ConfigurationError naming what is not valid.
 */
export function becauseText(because: Because = {}): string {
  return JSON.stringify(checked(because, BECAUSE))
}
