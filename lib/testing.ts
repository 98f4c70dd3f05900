/**
 * A test kit: messages stay in memory, tests control the clock, and nothing needs a database.
 * `@leadmap/symphony/testing`.
 *
 * @example
 * beforeEach(() => { useMemoryTransport(); reset() })
 * test('a sign-up sends a welcome mail', async () => {
 *   await signUp('user@example.com')
 *   assertDispatched('EmailMessage', { to: 'user@example.com' })
 *   await drain()
 * })
 */
export { advance, assertDispatched, dispatched, drain, reset, setNow, useMemoryTransport } from './testing/functions.js'
export { createTestKit, type DispatchedMessage, type DispatchMatcher, type TestKit } from './testing/test-kit.js'
