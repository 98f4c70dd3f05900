import {
  consumeBatch,
  dispatch,
  dispatchBatch,
  getConfig,
  HandlerError,
  HandlerRegistry,
  migrate,
  type SymphonyConfig,
  setConfig,
} from '@leadmap/symphony'
import { doctor, getHealth, listFailed, retryFailed, rollback } from '@leadmap/symphony/admin'
import { beforeEach, expect, test } from 'vitest'
import { createQueue, emptyTables } from './support/symphony.js'

// A broker in the memory of this process, as the engine makes a transport of any: nothing here knows that it is one.
const database = await createQueue({
  transports: { events: { type: 'memory-broker' } },
  routing: { '*': 'events' },
  retry: { default: { delay: '1h' } },
})

let handled: Array<{ type: string; runs: number }>
beforeEach(async () => {
  handled = []
  await consumeBatch({ registry: everything })
  handled = []
  await emptyTables(database, 'messenger_parked')
})

const everything = new HandlerRegistry()
everything.register('*', ({ type }, { retryCount }) => void handled.push({ type, runs: retryCount }))
const failing = (isRetryable: boolean) => {
  const registry = new HandlerRegistry()
  registry.register('*', () => Promise.reject(new HandlerError('not now', isRetryable)))
  return registry
}

const parked = () =>
  database.query<{ message_type: string; retry_count: number; body: string }>(
    'SELECT message_type, retry_count, body FROM symphony.messenger_parked ORDER BY due_at, id',
  )
/** Makes everything that is parked due, so long ago. */
const age = (minutes: number) =>
  database.query('UPDATE symphony.messenger_parked SET due_at = now() - make_interval(mins => $1)', [minutes])

test('what is due at once goes to the broker, and nothing of it to the database', async () => {
  expect(await dispatch({ type: 'Now', payload: {} })).toMatchObject({ status: 'queued', transport: 'events' })
  expect(await parked()).toEqual([])
  expect(await database.query('SELECT FROM symphony.messenger_messages')).toEqual([])
  expect(await consumeBatch({ registry: everything })).toMatchObject({ succeeded: 1, drained: true })
  expect(handled).toEqual([{ type: 'Now', runs: 0 }])
})

test('what is due later is parked as it was written, and relayed when it is due', async () => {
  await dispatchBatch([
    { message: { type: 'Later', payload: { b: 1, a: [2] } }, options: { delay: '365d' } },
    { message: { type: 'Sooner', payload: {} }, options: { scheduledAt: new Date(Date.now() + 3_600_000) } },
  ])
  expect(await parked()).toMatchObject([{ message_type: 'Sooner' }, { message_type: 'Later', body: '{"b":1,"a":[2]}' }])
  expect(await consumeBatch({ registry: everything })).toMatchObject({ succeeded: 0 })
  await age(0)
  expect(await consumeBatch({ registry: everything })).toMatchObject({ succeeded: 2 })
  expect(await parked()).toEqual([])
})

test('a key admits one message within its window', async () => {
  const { messageId } = await dispatch({ type: 'Once', payload: {} }, { idempotencyKey: 'k' })
  expect(await dispatch({ type: 'Once', payload: {} }, { idempotencyKey: 'k' })).toMatchObject({
    status: 'duplicate',
    messageId,
  })
  expect(await parked()).toEqual([])
  expect(await consumeBatch({ registry: everything })).toMatchObject({ succeeded: 1 })
})

test('what fails is parked until its retry, and what fails for good is a dead letter that can be put back', async () => {
  await dispatch({ type: 'Hard', payload: { n: 1 } })
  expect(await consumeBatch({ registry: failing(true) })).toMatchObject({ retried: 1 })
  expect(await parked()).toEqual([{ message_type: 'Hard', retry_count: 1, body: '{"n":1}' }])
  await age(0)
  expect(await consumeBatch({ registry: failing(false) })).toMatchObject({ deadLettered: 1 })
  const [letter] = (await listFailed({ full: true })).messages
  expect(letter).toMatchObject({ type: 'Hard', transport: 'events', payload: { n: 1 }, error: 'not now' })
  const frame = expect.stringContaining('companion.test.ts')
  expect(letter?.errorHistory).toMatchObject([{ stack: frame }, { stack: frame }])
  await retryFailed(letter?.id ?? '')
  expect(await consumeBatch({ registry: everything })).toMatchObject({ succeeded: 1 })
  expect((await listFailed()).messages).toEqual([])
})

test('what nobody relays is found', async () => {
  await dispatch({ type: 'Forgotten', payload: {} }, { delay: '1h' })
  const found = async () => {
    const quick = (await getHealth({ registry: null })).findings
    const all = (await doctor({ registry: new HandlerRegistry() })).findings
    return [quick, all].map((findings) => findings.find(({ check }) => check === 'parkedMessages'))
  }
  expect(await found()).toMatchObject([{ severity: 'ok' }, { severity: 'ok' }])
  await age(10)
  expect(await found()).toMatchObject([
    { severity: 'warning', value: 1, remedy: expect.stringContaining('consumeBatch()') },
    { severity: 'warning', message: expect.stringMatching(/1 parked messages .*: events \(60\d s\)/) },
  ])
  await consumeBatch({ registry: everything })
  expect(await found()).toMatchObject([{ severity: 'ok' }, { severity: 'ok' }])
})

test('rollback() is refused while messages are parked, and loses none', async () => {
  await dispatch({ type: 'Kept', payload: {} }, { delay: '1h' })
  await expect(rollback({ to: 9 })).rejects.toThrow(/1 messages are parked in messenger_parked/)
  expect(await parked()).toHaveLength(1)
  await age(0)
  await consumeBatch({ registry: everything })
  expect(await rollback({ to: 9 })).toMatchObject({ version: 9 })
  await migrate()
})

test.each<[string, SymphonyConfig['transports'], RegExp]>([
  [
    'an option of sync',
    { s: { type: 'sync', options: { retries: 5 } } },
    /s\.options\.retries: got 5, wants no option.*sync/,
  ],
  [
    'an option of memory',
    { m: { type: 'memory', options: { maxAge: 1 } } },
    /m\.options\.maxAge: got 1.*choose another/,
  ],
  [
    'an option of supabase',
    { p: { type: 'supabase', options: { url: 'postgres://u:secret@h/d' } } },
    /p\.options\.url: got "postgres:\/\/…".*set `database`/,
  ],
])('%s is refused when the configuration is checked', (_, transports, words) => {
  const before = getConfig()
  expect(() => setConfig({ transports })).toThrow(words)
  expect(() => setConfig({ transports })).not.toThrow(/secret/)
  expect(getConfig()).toEqual(before)
})

test('a broker without a database beside it is refused when the configuration is checked', () => {
  const alone = { environments: {}, database: { url: null as never } }
  expect(() => setConfig(alone)).toThrow(/transports\.events\.type: got "memory-broker".*dead letters.*database\.url/)
  expect(getConfig().transports.events).toMatchObject({ type: 'memory-broker' })
})
