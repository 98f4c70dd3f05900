// Loads the package as ESM and as CommonJS and tells what they share.
import { createRequire } from 'node:module'
import * as esm from '@leadmap/symphony'
import * as esmConfig from '@leadmap/symphony/config'

const require = createRequire(import.meta.url)
const cjs = require('@leadmap/symphony')

const errorOf = (act) => {
  try {
    act()
  } catch (error) {
    return error
  }
}

esm.setConfig({ defaultPriority: 8 })
const refusal = errorOf(() => cjs.setConfig({ defaultPriority: 11 }))
const rejection = await cjs.dispatch({ type: '', payload: {} }).catch((error) => error)

let attempts = 0
cjs.registerHandler('Shared', () => {
  attempts += 1
  // Retryable or not is asked of a class of the other copy.
  throw new cjs.HandlerError('never', false)
})
const { priority } = await cjs.dispatch({ type: 'Shared', payload: {} })
const { deadLettered } = await esm.consumeBatch()

console.log(
  JSON.stringify({
    twoCopies: esm.dispatch !== cjs.dispatch,
    oneRegistry: esm.getRegistry() === cjs.getRegistry(),
    oneDispatcher: esm.getDispatcher() === cjs.getDispatcher(),
    isDispatcherOfBoth:
      cjs.getDispatcher() instanceof esm.SymphonyDispatcher && esm.getDispatcher() instanceof cjs.SymphonyDispatcher,
    oneManager: esmConfig.getRuntimeConfigManager() === require('@leadmap/symphony/config').getRuntimeConfigManager(),
    configurationErrorOfBoth: refusal instanceof esm.ConfigurationError && refusal instanceof cjs.ConfigurationError,
    baseOfBoth:
      refusal instanceof esm.SymphonyError && refusal instanceof cjs.SymphonyError && refusal instanceof Error,
    validationErrorOfBoth:
      rejection instanceof esm.MessageValidationError && rejection instanceof cjs.MessageValidationError,
    notAnotherError: refusal instanceof esm.TransportError || rejection instanceof cjs.ConfigurationError,
    exports: [
      Object.keys(esm).sort().join(),
      Object.keys(cjs)
        .filter((name) => name !== '__esModule')
        .sort()
        .join(),
    ],
    priority,
    attempts,
    deadLettered,
  }),
)
