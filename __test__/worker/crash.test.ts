import {
  consumeBatch,
  dispatch,
  dispatchBatch,
  HandlerRegistry,
  type LogFields,
  type MessageEvent,
  setLogger,
  Worker,
} from '@leadmap/symphony'
import { configureNotifications, getHealth, getMetrics, listFailed, type Notification } from '@leadmap/symphony/admin'
import { getLogger } from '@leadmap/symphony/utils'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { startProgram } from '../support/programs.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()
beforeEach(() => emptyTables(database, 'messenger_metrics', 'messenger_notifications'))

/** Runs a process that dies at the first poisonous message, and waits until its lease has run out. */
async function dieOnce(): Promise<void> {
  const program = startProgram('die.mjs', { SYMPHONY_DATABASE_URL: database.url, SYMPHONY_WORKER_LEASE: '1s' })
  expect(await program.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
  await expect
    .poll(async () => database.query('SELECT FROM symphony.messenger_workers WHERE lease_until > now()'))
    .toEqual([])
}

/** Has the next consumer find the suspect due at once: one that crashed again stays away for half a minute. */
async function waitForSuspect(): Promise<void> {
  await consumeBatch({ registry: harmless })
  await database.query('UPDATE symphony.messenger_messages_pending SET available_at = now() WHERE crash_count > 0')
}

const harmless = new HandlerRegistry()
harmless.register('Harmless', () => undefined)

/** Lets a message kill three processes; the next consumer will bury it. */
async function killThree(): Promise<string> {
  const { messageId } = await dispatch({ type: 'Poison', payload: { n: 0 } }, { priority: 9 })
  await dieOnce()
  await waitForSuspect()
  await dieOnce()
  await waitForSuspect()
  await dieOnce()
  return messageId
}

test('what a killed process held comes back, and what kills every process becomes a dead letter', async () => {
  const { messageId } = await dispatch({ type: 'Poison', payload: { n: 0 } }, { priority: 9 })
  await dispatchBatch(Array.from({ length: 20 }, (_, n) => ({ type: 'Harmless', payload: { n } })))

  await dieOnce()
  expect((await storedMessages(database)).filter((row) => row.status === 'processing').length).toBeGreaterThan(1)
  await waitForSuspect()
  await dieOnce()
  await waitForSuspect()
  await dieOnce()

  await consumeBatch({ registry: harmless })

  const { messages } = await listFailed()
  expect(messages).toMatchObject([
    { messageId, type: 'Poison', errorClass: 'WorkerCrash', crashes: 3, error: expect.stringMatching(/died 3 times/) },
  ])
  const rows = await storedMessages(database)
  expect(rows).toHaveLength(20)
  expect(rows.every((row) => row.status === 'completed' && row.message_type === 'Harmless')).toBe(true)
})

test('what a rescue buries shows wherever a burial shows, exactly once', { timeout: 60_000 }, async () => {
  const messageId = await killThree()
  const [lines, told]: [[string, LogFields | undefined][], Notification[]] = [[], []]
  const logger = getLogger()
  setLogger({ ...logger, error: (text, fields) => void lines.push([text, fields]) })
  configureNotifications({ channels: [{ name: 'list', send: async (it) => void told.push(it) }] })
  onTestFinished(() => {
    setLogger(logger)
    configureNotifications()
  })

  // Two at the same time: one of them finds it.
  await Promise.all([consumeBatch({ registry: harmless }), consumeBatch({ registry: harmless })])

  expect(lines).toMatchObject([
    [
      expect.stringMatching(/is a dead letter now/),
      { event: 'message.deadLettered', messageId, messageType: 'Poison', crashes: 3, errorClass: 'WorkerCrash' },
    ],
  ])
  const facts = { messageType: 'Poison', errorClass: 'WorkerCrash', messageId, transport: 'supabase' }
  expect(told).toMatchObject([{ severity: 'error', ...facts, occurrences: 1 }])
  const metrics = await getMetrics()
  expect(metrics).toMatchObject({ totalDeadLettered: 1, totalFailed: 1 })
  expect(metrics.errors).toMatchObject([{ class: 'WorkerCrash', count: 1, messageTypes: ['Poison'] }])
  const found = (await getHealth()).findings.find(({ check }) => check === 'deadLetters')
  expect(found).toMatchObject({ severity: 'ok', value: 1 })
})

test('a worker tells by an event what it found buried', { timeout: 60_000 }, async () => {
  const messageId = await killThree()
  const worker = new Worker({ registry: harmless, handleSignals: false })
  onTestFinished(async () => void (await worker.stop({ force: true })))
  const event = new Promise<MessageEvent>((resolve) => worker.once('deadLettered', resolve))
  void worker.start()
  expect(await event).toEqual({
    id: messageId,
    type: 'Poison',
    transport: 'supabase',
    retryCount: 0,
    error: { class: 'WorkerCrash', message: 'the process died 3 times while it handled this message' },
  })
})
