/** Messages that wait for a handler which is not there. */
import type { Core } from '../core/core.js'
import type { HandlerRegistry } from '../handlers/registry.js'

/** Waiting messages of a type without a handler. */
export interface UnhandledMessages {
  /** The type. */
  type: string
  /** The transport they wait in. */
  transport: string
  /** The queue they wait in. */
  queue: string
  /** How many are due, up to a cap. */
  count: number
}

/** Due messages whose type has no handler in a registry. */
export async function unhandledBy(core: Core, registry: HandlerRegistry): Promise<UnhandledMessages[]> {
  const types = registry.claimable()
  if (types === null) return []
  return core.ask((it) => it.unhandled(JSON.stringify({ types })))
}
