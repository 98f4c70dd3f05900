/** The default instance: the one that the functions of the package work on. */
import { processLog } from '../base/logger.js'
import { ProcessSlot } from '../base/process-state.js'
import { assemble, type Symphony } from '../symphony.js'

const slot = new ProcessSlot<Symphony>('symphony')

/** The default instance, shared by all copies of the package: it survives hot reload, and ES modules and CommonJS have one. */
export function defaultSymphony(): Symphony {
  return slot.get(() => assemble({ name: undefined, log: processLog() }))
}
