import { dispatch, dispatchBatch } from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Program, startProgram } from '../support/programs.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: '1h' } } })

beforeEach(() => emptyTables(database))

const start = (options: object, environment: Record<string, string> = {}): Program =>
  startProgram('ignore-signal.mjs', {
    SYMPHONY_DATABASE_URL: database.url,
    OPTIONS: JSON.stringify(options),
    ...environment,
  })

/** A worker with two messages in hand whose handlers run for 28 s, and one more that waits. */
async function startAtWork(options: object = {}, environment: Record<string, string> = {}): Promise<Program> {
  await dispatchBatch([1, 2, 3].map((n) => ({ type: 'Any', payload: { n } })))
  const program = start(options, environment)
  expect([await program.next(), await program.next()]).toEqual([{ started: 1 }, { started: 2 }])
  return program
}

async function expectUntouched(): Promise<void> {
  const rows = await storedMessages(database)
  expect(rows.map((row) => [row.body.n, row.status, row.retry_count])).toEqual([1, 2, 3].map((n) => [n, 'pending', 0]))
}

const handedBack = { succeeded: 0, released: 3, stoppedBy: 'signal' }
const line = 'handlers ignore their signal'

describe('a process whose handlers ignore their signal', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('ends after %s, when everything is handed back and a grace is over', async (signal, code) => {
    const program = await startAtWork({ exitGrace: '100ms' })
    program.process.kill(signal)
    expect(await program.next()).toEqual(handedBack)
    // By itself it would end with 0, once the timers of 28 s are over.
    const { errors, ...ended } = await program.ended
    expect(ended).toEqual({ code, signal: null })
    expect(errors.split(line)).toHaveLength(2)
    await expectUntouched()
  })

  test('ends by default too', async () => {
    const program = await startAtWork()
    program.process.kill('SIGTERM')
    expect(await program.next()).toEqual(handedBack)
    expect(await program.ended).toMatchObject({ code: 143 })
  })

  test('ends at the second signal, however long the grace', async () => {
    const program = await startAtWork({ shutdownTimeout: '1h', exitGrace: '1h' })
    program.process.kill('SIGTERM')
    await expect.poll(async () => (await storedMessages(database)).at(2)?.status).toBe('pending')
    program.process.kill('SIGTERM')
    expect(await program.next()).toEqual(handedBack)
    expect(await program.ended).toMatchObject({ code: 143 })
    await expectUntouched()
  })

  test('ends also where they have been given up before, for they took too long', async () => {
    await dispatch({ type: 'Limited', payload: {} })
    const program = start({ exitGrace: '100ms' }, { OTHERS: '1' })
    expect(await program.next()).toEqual({ retried: 'Limited' })
    program.process.kill('SIGTERM')
    expect(await program.next()).toEqual({ succeeded: 0, released: 0, stoppedBy: 'signal' })
    expect(await program.ended).toMatchObject({ code: 143 })
  })
})

describe('a process is left to the application', () => {
  test('where the grace is switched off', async () => {
    const program = await startAtWork({ exitGrace: false })
    program.process.kill('SIGTERM')
    expect(await program.next()).toEqual(handedBack)
    program.tell('still here')
    expect(await program.next()).toBe('still here')
    // The worker has given the signals back: this one does what it does by default.
    program.process.kill('SIGTERM')
    expect(await program.ended).toMatchObject({ code: null, signal: 'SIGTERM', errors: '' })
  })

  test('where handlers end and it listens to the signal itself', async () => {
    const program = await startAtWork({ shutdownTimeout: '1h', exitGrace: 0 }, { OTHERS: '1' })
    program.process.kill('SIGTERM')
    expect(await program.next()).toEqual({ succeeded: 2, released: 1, stoppedBy: 'signal' })
    // Its timers of 28 s go on, and are its own affair.
    program.tell('still here')
    expect(await program.next()).toBe('still here')
  })
})
