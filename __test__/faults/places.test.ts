import { close, dispatch, HandlerRegistry, setConfig, Worker } from '@leadmap/symphony'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { createOwnQueue } from './support/own-server.js'
import { type Relay, startRelay } from './support/relay.js'
import { until } from './support/until.js'

const database = await createOwnQueue()
afterEach(close)

/** Ways in which the database goes away; each returns how it comes back. */
const WAYS: Record<string, (relay: Relay) => () => void> = {
  // Before a login can have come to its end.
  'breaks all its connections': (relay) => {
    const cutting = setInterval(relay.cut, 1)
    return () => clearInterval(cutting)
  },
  // No statement is answered, and nobody is let in who would find that out.
  'says nothing any more': (relay) => {
    relay.freeze()
    return relay.thaw
  },
}

test.each(Object.entries(WAYS))(
  'a database that %s holds up nothing of what waits elsewhere, not even with an outcome of its own to be written',
  { timeout: 60_000 },
  async (_, goAway) => {
    const relay = await startRelay(database.url)
    setConfig({
      // What waits for a connection waits for longer than this test.
      database: { url: relay.url, statementTimeout: '1s', connectTimeout: '10m' },
      transports: { beside: { type: 'memory' } },
    })
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let runs = 0
    const registry = new HandlerRegistry()
    registry.register('Stored', () => {
      runs += 1
      return finished
    })
    registry.register('Quick', () => undefined)
    const worker = new Worker({ registry, transports: ['supabase', 'beside'], pollInterval: 10 })
    const completed: string[] = []
    worker.on('completed', ({ type }) => void completed.push(type))
    const quick = () => completed.filter((type) => type === 'Quick').length
    const errors: unknown[] = []
    worker.on('error', (error) => void errors.push(error))
    const ended = worker.run()
    let comeBack = () => {}
    onTestFinished(async () => {
      comeBack()
      await worker.stop()
      await ended
    })

    await dispatch({ type: 'Stored', payload: {} })
    await until('its handler runs', () => runs === 1)
    comeBack = goAway(relay)
    finish()
    await until('it is noticed', () => errors.length > 0)
    for (let n = 1; n <= 5; n += 1) {
      await dispatch({ type: 'Quick', payload: {} }, { transport: 'beside' })
      await until('it is written what became of that', () => quick() === n)
    }
    expect(completed).not.toContain('Stored')

    comeBack()
    await until('the outcome is written', () => completed.includes('Stored'))
    await dispatch({ type: 'Quick', payload: {} })
    await until('more is claimed there', () => quick() === 6)
    expect(runs).toBe(1)
  },
)
