import {
  consumeBatch,
  discard,
  dispatch,
  HandlerError,
  type HandlerFunction,
  HandlerRegistry,
  setConfig,
  setLogger,
  snooze,
  type UntypedMessage,
} from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue()
const OTHER = '01890000-0000-7000-8000-000000000001'

beforeEach(() => emptyTables(database))

function registryWith(handler: HandlerFunction<UntypedMessage>): HandlerRegistry {
  const registry = new HandlerRegistry()
  registry.register('Any', handler)
  return registry
}

/** Somebody else has rescued the message and claimed it: it carries another token now. */
const claimedByAnother = () => database.query('UPDATE symphony.messenger_messages SET locked_by = $1', [OTHER])

const row = async () => {
  const [found] = await database.query(
    'SELECT status, locked_by, retry_count, last_error FROM symphony.messenger_messages',
  )
  return found
}

describe('a consumer that has lost its lease cannot', () => {
  test.each<[string, () => unknown]>([
    ['complete', () => undefined],
    ['retry', () => Promise.reject(new Error('again'))],
    ['bury', () => Promise.reject(new HandlerError('never', false))],
    ['put off', () => snooze(0)],
    ['discard', () => discard()],
  ])('%s the message', async (_what, end) => {
    await dispatch({ type: 'Any', payload: {} })
    const result = await consumeBatch({
      registry: registryWith(async () => {
        await claimedByAnother()
        return end()
      }),
    })
    const nothing = { succeeded: 0, retried: 0, deadLettered: 0, snoozed: 0, discarded: 0, released: 0 }
    expect(result).toMatchObject({ claimed: 1, lost: 1, ...nothing })
    expect(await row()).toEqual({ status: 'processing', locked_by: OTHER, retry_count: 0, last_error: null })
    expect((await listFailed()).messages).toEqual([])
  })

  test('delete the message, where finished ones are not kept', async () => {
    setConfig({ retention: { completed: 'none' } })
    onTestFinished(() => setConfig({ retention: { completed: '24h' } }))
    await dispatch({ type: 'Any', payload: {} })
    expect(await consumeBatch({ registry: registryWith(claimedByAnother) })).toMatchObject({ succeeded: 0, lost: 1 })
    expect(await row()).toMatchObject({ status: 'processing', locked_by: OTHER })
  })

  test('hide it: the application’s logger is told', async () => {
    const lines: unknown[] = []
    const ignore = () => undefined
    setLogger({ debug: ignore, info: ignore, warn: (text, fields) => lines.push([text, fields]), error: ignore })
    onTestFinished(() => setLogger())
    await dispatch({ type: 'Any', payload: {} })
    expect(await consumeBatch({ registry: registryWith(claimedByAnother) })).toMatchObject({ lost: 1 })
    await expect.poll(() => lines).toHaveLength(1)
    expect(lines).toEqual([
      [expect.stringMatching(/^lease lost: .*worker\.lease$/), { target: 'symphony::worker', messages: 1 }],
    ])
  })

  test('hand back the message', async () => {
    await dispatch({ type: 'Any', payload: {} })
    const result = await consumeBatch({
      timeLimit: 600,
      registry: registryWith(async () => {
        await claimedByAnother()
        return new Promise(() => undefined)
      }),
    })
    expect(result).toMatchObject({ claimed: 1, lost: 1, released: 0 })
    expect(await row()).toMatchObject({ status: 'processing', locked_by: OTHER })
  })
})

test('a consumer keeps its lease while a handler runs longer than it', async () => {
  setConfig({ worker: { lease: '1s' } })
  onTestFinished(() => setConfig({ worker: { lease: '30s' } }))
  await dispatch({ type: 'Any', payload: {} })
  let others: unknown
  const result = await consumeBatch({
    registry: registryWith(async () => {
      const past = async () => {
        const [found] = await database.query<{ past: boolean }>(
          `SELECT now() > locked_at + interval '1.5 seconds' AS past FROM symphony.messenger_messages`,
        )
        return found?.past
      }
      await expect.poll(past, { interval: 100 }).toBe(true)
      others = await consumeBatch({ registry: registryWith(() => expect.unreachable()) })
    }),
  })
  expect(others).toMatchObject({ claimed: 0 })
  expect(result).toMatchObject({ succeeded: 1, lost: 0 })
})
