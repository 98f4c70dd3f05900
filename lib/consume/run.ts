/** A message whose handlers run. */
import type { Placed } from '../base/bag.js'
import type { DeliveryContext } from '../handlers/context.js'

/** A message whose handlers run. */
export interface Run extends Placed {
  readonly batch: number
  readonly index: number
  readonly context: DeliveryContext
  readonly started: number
  /** Its signal was aborted because the core wants it back, not because it took too long. */
  recalled: boolean
}
