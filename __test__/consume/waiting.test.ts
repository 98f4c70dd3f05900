import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, setLogger, Worker } from '@leadmap/symphony'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ worker: { pollInterval: 50 } })

const warn = vi.fn()

beforeEach(async () => {
  await emptyTables(database, 'messenger_metrics')
  warn.mockClear()
  setLogger({ debug: () => {}, info: () => {}, warn, error: () => {} })
  onTestFinished(() => setLogger())
})

/** A registry that handles these types. */
function handling(...types: string[]): HandlerRegistry {
  const registry = new HandlerRegistry()
  for (const type of types) registry.register(type, () => undefined)
  return registry
}

const warnings = () => warn.mock.calls.filter(([, facts]) => facts?.event === 'message.unhandled')

test('a misspelt type is named by the drain that leaves it, once a minute', async () => {
  await dispatchBatch([
    { type: 'WelcomeMial', payload: {}, queue: 'mail' },
    { type: 'WelcomeMial', payload: {}, queue: 'mail' },
    { type: 'WelcomeMail', payload: {} },
  ])
  const registry = handling('WelcomeMail', 'Report')
  expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1, queueDepth: 2 })
  const sentence =
    '2 messages of type WelcomeMial wait in supabase, queue mail, without a handler: none is registered here, and no ' +
    'consumer has run one in the last 5 minutes; did you mean WelcomeMail?'
  const facts = { event: 'message.unhandled', type: 'WelcomeMial', transport: 'supabase', queue: 'mail', count: 2 }
  expect(warnings()).toEqual([[sentence, facts]])
  await consumeBatch({ registry })
  expect(warnings()).toHaveLength(1)
  await dispatch({ type: 'Reprot', payload: {} })
  await consumeBatch({ registry })
  expect(warnings()[1]?.[0]).toMatch(/^a message of type Reprot waits .*; did you mean Report\?$/)
})

test('a type that others handle is not named', async () => {
  await dispatch({ type: 'Elsewhere', payload: {} })
  expect(await consumeBatch({ registry: handling('Elsewhere') })).toMatchObject({ succeeded: 1 })
  await dispatchBatch([
    { type: 'Elsewhere', payload: {} },
    { type: 'Nowhere', payload: {} },
  ])
  expect(await consumeBatch({ registry: handling('Own') })).toMatchObject({ claimed: 0, queueDepth: 2 })
  expect(warnings()).toMatchObject([[expect.stringContaining('of type Nowhere waits'), { type: 'Nowhere' }]])
})

test('a worker looks by itself, also where a pattern makes it claim every type', async () => {
  for (const [type, pattern] of [
    ['Strange', 'Own'],
    ['Stranger', 'Own*'],
  ] as const) {
    await dispatch({ type, payload: {} })
    const worker = new Worker({ registry: handling(pattern), handleSignals: false })
    await worker.start()
    await vi.waitFor(() => expect(warnings().at(-1)?.[1]).toMatchObject({ type, count: 1 }), { timeout: 30_000 })
    await worker.stop()
  }
  expect(warnings()).toHaveLength(2)
})
