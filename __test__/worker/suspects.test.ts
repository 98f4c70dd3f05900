import { dispatch, dispatchBatch, HandlerRegistry, Worker, type WorkerOptions } from '@leadmap/symphony'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()

beforeEach(() => emptyTables(database))

/** Stores messages as a rescue would put them back after a crash. */
async function suspects(count: number, type: string, queue = 'default', priority = 5): Promise<void> {
  const stored = await dispatchBatch(
    Array.from({ length: count }, () => ({ type, payload: {} })),
    { queue, priority, delay: '1h' },
  )
  const ids = stored.map((it) => (it.success ? it.messageId : expect.unreachable()))
  // Not before they are suspects are they due: a worker may be running already.
  await database.query(
    'UPDATE symphony.messenger_messages_pending SET crash_count = 1, available_at = now() WHERE id = ANY ($1)',
    [ids],
  )
}

const quick = (count: number) => dispatchBatch(Array.from({ length: count }, () => ({ type: 'Quick', payload: {} })))

/** A worker that is gone after the test; `slow` says when handlers of `Slow` end. */
function work(options: WorkerOptions, slow: Promise<void>): { started: string[]; running: Set<string> } {
  const registry = new HandlerRegistry()
  const [started, running]: [string[], Set<string>] = [[], new Set()]
  const run = async (type: string, until?: Promise<unknown>) => {
    started.push(type)
    running.add(type)
    await until
    running.delete(type)
  }
  registry.register('Slow', () => run('Slow', slow))
  registry.register('Quick', () => run('Quick'))
  registry.register('Suspect', () => run('Suspect', new Promise((resolve) => setTimeout(resolve, 20))))
  const worker = new Worker({ registry, pollInterval: 50, handleSignals: false, ...options })
  onTestFinished(async () => void (await worker.stop({ force: true })))
  void worker.start()
  return { started, running }
}

/** A promise and what resolves it, at the latest when the test ends. */
function gate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  onTestFinished(() => open())
  return { open, opened }
}

test.each([
  { which: 'of a type without a handler', type: 'Unknown' },
  { which: 'of a queue that it does not read', type: 'Suspect', queue: 'elsewhere' },
  { which: 'that it handles', type: 'Suspect' },
])('a suspect $which stops no worker whose hand does not empty', async ({ type, queue }) => {
  const { opened } = gate()
  await dispatch({ type: 'Slow', payload: {} })
  const { started, running } = work({ queues: ['default'] }, opened)
  await expect.poll(() => running.has('Slow')).toBe(true)
  await suspects(3, type, queue)
  await quick(50)
  await expect.poll(() => started.filter((it) => it === 'Quick')).toHaveLength(50)
  if (type === 'Suspect' && queue === undefined) {
    await expect.poll(() => started.filter((it) => it === 'Suspect')).toHaveLength(3)
  }
  expect(running.has('Slow')).toBe(true)
})

test('a suspect whose handler hangs takes one slot and no more', async () => {
  const { opened } = gate()
  await suspects(1, 'Slow')
  const { started, running } = work({ maxConcurrency: 5 }, opened)
  await expect.poll(() => running.has('Slow')).toBe(true)
  await quick(50)
  await expect.poll(() => started.filter((it) => it === 'Quick')).toHaveLength(50)
  expect(running.has('Slow')).toBe(true)
})

test('messages of a high priority are not held up by a hundred suspects', async () => {
  await suspects(100, 'Suspect')
  const { started } = work({}, Promise.resolve())
  await expect.poll(() => started.length).toBeGreaterThan(2)
  const stored = await dispatchBatch(
    Array.from({ length: 20 }, () => ({ type: 'Quick', payload: {} })),
    { priority: 10 },
  )
  expect(stored.every((it) => it.success)).toBe(true)
  const before = started.length
  await expect.poll(() => started.filter((it) => it === 'Quick')).toHaveLength(20)
  const overtaken = started.slice(before, started.lastIndexOf('Quick')).filter((it) => it === 'Suspect')
  expect(overtaken.length).toBeLessThan(20)
})
