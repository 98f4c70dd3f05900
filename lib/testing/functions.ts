/** The test kit of the default instance. */
import { defaultSymphony } from '../default/instance.js'
import { createTestKit, type TestKit } from './test-kit.js'

const kit = (): TestKit => createTestKit(defaultSymphony())

export const useMemoryTransport: TestKit['useMemoryTransport'] = () => kit().useMemoryTransport()
export const dispatched: TestKit['dispatched'] = (type) => kit().dispatched(type)
export const assertDispatched: TestKit['assertDispatched'] = (type, matcher) => kit().assertDispatched(type, matcher)
export const drain: TestKit['drain'] = async (registry) => kit().drain(registry)
export const setNow: TestKit['setNow'] = (instant) => kit().setNow(instant)
export const advance: TestKit['advance'] = (duration) => kit().advance(duration)
export const reset: TestKit['reset'] = () => kit().reset()
