/** Event names, checked: a listener of an event that does not exist would never be called. */
import { ConfigurationError } from './errors.js'
import { unknown } from './suggestions.js'

/** What every `EventEmitter` tells besides its own events. */
const OF_EMITTERS = ['newListener', 'removeListener']

/** @throws ConfigurationError naming an event that does not exist, with the one that was probably meant. */
export function mustBeEvent(of: string, name: unknown, events: readonly string[]): void {
  if (typeof name !== 'string' || events.includes(name) || OF_EMITTERS.includes(name)) return
  throw new ConfigurationError(`event ${name} of a ${of}: ${unknown('event', name, events)}`)
}
