import {
  close,
  consumeBatch,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  registerHandler,
  runDueSchedules,
  schedule,
  setConfig,
} from '@leadmap/symphony'
import {
  deleteSchedule,
  getDuplicateAttempts,
  getHealth,
  getMetrics,
  listFailed,
  listMessages,
} from '@leadmap/symphony/admin'
import { createSymphonyRoute, createWorkerRoute } from '@leadmap/symphony/next'
import { withSymphonyFallback } from '@leadmap/symphony/utils'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { countAll, createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()
const message = { type: 'Visit', payload: { page: '/' } }

beforeEach(() => emptyTables(database))

/** The process as `next build` has it while it prerenders; a worker of its own, which has used no queue before. */
async function build(): Promise<void> {
  vi.stubEnv('NEXT_PHASE', 'phase-production-build')
  await close()
  onTestFinished(async () => {
    vi.unstubAllEnvs()
    await close()
  })
}

const CALLS: Record<string, () => Promise<unknown>> = {
  dispatch: () => dispatch(message),
  dispatchBatch: () => dispatchBatch([message], { atomic: true }),
  schedule: () => schedule(message, { every: '1m' }, { name: 'visit' }),
  deleteSchedule: () => deleteSchedule('visit'),
  runDueSchedules: () => runDueSchedules(),
  consumeBatch: () => consumeBatch({ registry: new HandlerRegistry() }),
  getDuplicateAttempts: () => getDuplicateAttempts('key'),
  getHealth: () => getHealth(),
  getMetrics: () => getMetrics(),
  listFailed: () => listFailed(),
  listMessages: () => listMessages(),
}

describe('while Next.js builds', () => {
  test.each(Object.keys(CALLS))('%s() is refused with the remedy, and nothing is stored', async (name) => {
    await build()
    await expect(CALLS[name]?.()).rejects.toMatchObject({
      code: 'SYMPHONY_BUILD_PHASE',
      message: expect.stringContaining('await connection()'),
    })
    expect(await countAll(database)).toBe(0)
  })

  test('a dispatch that is refused is not done in the old way either', async () => {
    await build()
    const legacy = vi.fn()
    await expect(withSymphonyFallback(true, () => dispatch(message), legacy)).rejects.toThrow('next build')
    expect(legacy).not.toHaveBeenCalled()
  })

  test('what modules do when they are imported is possible', async () => {
    await build()
    registerHandler('Visit', () => undefined)
    setConfig({ database: { url: database.url } })
    createWorkerRoute()
    createSymphonyRoute({ authorize: () => true })
  })
})

test('a server that has been built may dispatch', async () => {
  vi.stubEnv('NEXT_PHASE', 'phase-production-server')
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(dispatch(message)).resolves.toMatchObject({ status: 'queued' })
})
