import { dispatchBatch } from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { startProgram } from '../support/programs.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()
const environment = { SYMPHONY_DATABASE_URL: database.url }

beforeEach(() => emptyTables(database))

const fill = () => dispatchBatch([1, 2, 3].map((n) => ({ type: 'Any', payload: { n } })))

/** What has become of the messages, and that none of them was charged an attempt. */
async function outcome(): Promise<string[]> {
  const rows = await storedMessages(database)
  expect(rows.every((row) => row.retry_count === 0 && row.last_error === null)).toBe(true)
  return rows.map((row) => `${row.body.n} ${row.status}`)
}

describe('a worker process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'drains after %s, hands the rest back and ends by itself',
    async (signal) => {
      await fill()
      const worker = startProgram('work.mjs', environment)
      expect(await worker.next()).toEqual({ started: 1 })
      worker.process.kill(signal)
      await handedBack(2)
      worker.tell('finish')
      expect(await worker.next()).toEqual({ succeeded: 1, released: 2, stoppedBy: 'signal' })
      expect(await worker.ended).toMatchObject({ code: 0, signal: null, errors: '' })
      expect(await outcome()).toEqual(['1 completed', '2 pending', '3 pending'])
    },
  )

  test('is forced by a second SIGINT: its handler is aborted, its messages go back', async () => {
    await fill()
    const worker = startProgram('work.mjs', environment)
    expect(await worker.next()).toEqual({ started: 1 })
    worker.process.kill('SIGINT')
    await handedBack(2)
    worker.process.kill('SIGINT')
    expect(await worker.next()).toEqual({ aborted: 1 })
    expect(await worker.next()).toEqual({ succeeded: 0, released: 3, stoppedBy: 'signal' })
    expect(await worker.ended).toMatchObject({ code: 0, signal: null, errors: '' })
    expect(await outcome()).toEqual(['1 pending', '2 pending', '3 pending'])
  })

  test('that is idle ends at once after SIGTERM', async () => {
    const worker = startProgram('work.mjs', environment)
    expect(await worker.next()).toBe('idle')
    worker.process.kill('SIGTERM')
    expect(await worker.next()).toEqual({ succeeded: 0, released: 0, stoppedBy: 'signal' })
    expect(await worker.ended).toMatchObject({ code: 0, errors: '' })
  })
})

/** Waits until so many messages are pending: the first signal has been obeyed. */
async function handedBack(count: number): Promise<void> {
  await expect
    .poll(async () => (await storedMessages(database)).filter((row) => row.status === 'pending').length)
    .toBe(count)
}
