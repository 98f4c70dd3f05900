/** The test kit of the default instance. */
import { defaultSymphony } from '../default/instance.js'
import { createTestKit, type TestKit } from './test-kit.js'

const kit = (): TestKit => createTestKit(defaultSymphony())

/** @function */
export const useMemoryTransport: TestKit['useMemoryTransport'] = () => kit().useMemoryTransport()
/** @function */
export const dispatched: TestKit['dispatched'] = (type) => kit().dispatched(type)
/** @function */
export const assertDispatched: TestKit['assertDispatched'] = (type, matcher) => kit().assertDispatched(type, matcher)
/** @function */
export const drain: TestKit['drain'] = async (registry) => kit().drain(registry)
/** @function */
export const setNow: TestKit['setNow'] = (instant) => kit().setNow(instant)
/** @function */
export const advance: TestKit['advance'] = (duration) => kit().advance(duration)
/** @function */
export const reset: TestKit['reset'] = () => kit().reset()
