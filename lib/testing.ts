/** A test kit: `@leadmap/symphony/testing`. */
import './symphony.js'

export {
  advance,
  assertDispatched,
  type DispatchedMessage,
  type DispatchMatcher,
  dispatched,
  drain,
  reset,
  setNow,
  useMemoryTransport,
} from './testing/test-kit.js'
