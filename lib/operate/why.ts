/** Why a message does not run. */

import { mustBeKnown, text } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { AnyRegistry, HandlerRegistry } from '../handlers/registry.js'
import type { MessageStatus } from './messages.js'

/** One of the reasons why a message does not run. */
export interface WhyReason {
  /**
   * What it is. Of a message that waits, in the order in which they would have to be mended: `transportOff`, `paused`,
   * `circuitOpen`, `scheduled`, `noWorker`, `noHandler`, `behind`, `suspect`; `next`: nothing stands in its way. Of any
   * other: `claimed`, `failed` or `finished`.
   */
  reason:
    | 'transportOff'
    | 'paused'
    | 'circuitOpen'
    | 'scheduled'
    | 'noWorker'
    | 'noHandler'
    | 'behind'
    | 'suspect'
    | 'next'
    | 'claimed'
    | 'failed'
    | 'finished'
  /** What is so. */
  message: string
  /** What to do, if anything. */
  remedy?: string
}

/** Why a message does not run. */
export interface Why {
  /** Its state. */
  status: MessageStatus
  /** Its transport. */
  transport: string
  /** Its queue. */
  queue: string
  /** Its type. */
  type: string
  /** All that stands in its way: the first one first, and one at least. */
  reasons: [WhyReason, ...WhyReason[]]
}

/** The question of an instance. */
export interface WhyFunctions {
  /**
   * Why a message does not run: what stands in its way, the first of it first. `null` if the id is unknown.
   *
   * A few looks by index, whatever waits; what is before it is counted up to 10,000.
   *
   * @param options.registry whose handlers count; by default those of the instance. Without any, handlers live elsewhere.
   */
  why(id: string, options?: { registry?: AnyRegistry }): Promise<Why | null>
}

/** The functions over a core. */
export function whyFunctions(core: Core, registry: HandlerRegistry): WhyFunctions {
  return {
    async why(id: string, options: { registry?: AnyRegistry } = {}): Promise<Why | null> {
      mustBeKnown(options, ['registry'])
      const types = (options.registry ?? registry).claimable()
      const asked = JSON.stringify(types?.length === 0 ? { types: null } : { types })
      return core.ask((it) => it.why(text(id, 'id'), asked))
    },
  }
}
