import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, listFailed } from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { startProgram } from '../support/programs.js'
import { createQueue, storedMessages } from '../support/symphony.js'

const database = await createQueue()

/** Runs a process that dies at the first poisonous message, and waits until its lease has run out. */
async function dieOnce(): Promise<void> {
  const program = startProgram('die.mjs', { SYMPHONY_DATABASE_URL: database.url, SYMPHONY_WORKER_LEASE: '1s' })
  expect(await program.ended).toMatchObject({ code: null, signal: 'SIGKILL' })
  await expect
    .poll(async () => database.query('SELECT FROM symphony.messenger_workers WHERE lease_until > now()'))
    .toEqual([])
}

test('what a killed process held comes back, and what kills every process becomes a dead letter', async () => {
  const { messageId } = await dispatch({ type: 'Poison', payload: { n: 0 } }, { priority: 9 })
  await dispatchBatch(Array.from({ length: 20 }, (_, n) => ({ type: 'Harmless', payload: { n } })))

  await dieOnce()
  expect((await storedMessages(database)).filter((row) => row.status === 'processing').length).toBeGreaterThan(1)
  await dieOnce()
  await dieOnce()

  const registry = new HandlerRegistry()
  registry.register('Harmless', () => undefined)
  registry.register('Poison', () => expect.unreachable())
  await consumeBatch({ registry })

  const { messages } = await listFailed()
  expect(messages).toMatchObject([
    { messageId, type: 'Poison', errorClass: 'WorkerCrash', crashes: 3, error: expect.stringMatching(/died 3 times/) },
  ])
  const rows = await storedMessages(database)
  expect(rows).toHaveLength(20)
  expect(rows.every((row) => row.status === 'completed' && row.message_type === 'Harmless')).toBe(true)
})
