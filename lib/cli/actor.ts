/** Who works at the command line, for the audit. */
import { hostname, userInfo } from 'node:os'
import { given } from '../base/given.js'

/** `user@host`. */
export function actor(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    // A user without a name, as in some containers.
    return hostname()
  }
}

/** Who, and why. */
export function because(reason: string | undefined): { actor: string; reason?: string } {
  return { actor: actor(), ...given({ reason }) }
}
