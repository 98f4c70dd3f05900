import { beforeEach, describe, expect, test } from 'vitest'
import { type Program, runProgram, startProgram } from '../support/programs.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()
const environment = { SYMPHONY_DATABASE_URL: database.url }

beforeEach(() => emptyTables(database))

/** Fails when a process is still there long after it had nothing left to do. */
async function expectSoonEnded(program: Program): Promise<void> {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve('still running'), 10_000).unref())
  expect(await Promise.race([program.ended, late])).toEqual({ code: 0, signal: null, errors: '' })
}

describe('a process', () => {
  test('that dispatched and consumed ends by itself', async () => {
    const program = startProgram('exit-by-itself.mjs', environment)
    expect(await program.next()).toEqual({ messageId: expect.any(String), succeeded: 1 })
    await expectSoonEnded(program)
  })

  test('that ended has left no connection behind', async () => {
    // Past any pooler: it keeps connections of its own.
    const url = `${database.directUrl}?application_name=short-lived`
    await runProgram('exit-by-itself.mjs', { SYMPHONY_DATABASE_URL: url })
    const connections = () =>
      database.query("SELECT state FROM pg_stat_activity WHERE application_name = 'short-lived'")
    await expect.poll(connections).toEqual([])
  })

  test.each([1, 2, 3])('that leaves at once, with everything under way, leaves in order (%i)', async () => {
    const program = startProgram('exit-at-work.mjs', environment)
    expect(await program.next()).toBe('at work')
    await expectSoonEnded(program)
    const rows = await storedMessages(database)
    expect(rows.filter((row) => row.message_type === 'Any')).toHaveLength(200)
  })

  test('that does not wait for its dispatch stores the message before it ends', async () => {
    const program = startProgram('dispatch-and-run-off.mjs', environment)
    expect(await program.next()).toBe('off')
    await expectSoonEnded(program)
    expect(await storedMessages(database)).toMatchObject([{ message_type: 'Unawaited' }])
  })

  test('that imports the package is as before, however wrong its environment is', async () => {
    const wrong = { SYMPHONY_DEFAULT_PRIORITY: 'banana', SYMPHONY_DATABASE_URL: 'nonsense', SYMPHONY_ENV: '???' }
    const { before, after, refusal } = await runProgram('import-only.mjs', wrong)
    expect(after).toEqual(before)
    expect(refusal).toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('SYMPHONY_DEFAULT_PRIORITY'),
    })
  })

  test('that loads the package as ESM and as CommonJS has one state and one kind of each error', async () => {
    const { exports, ...facts } = await runProgram('esm-and-cjs.mjs', environment)
    expect(facts).toEqual({
      twoCopies: true,
      oneRegistry: true,
      oneDispatcher: true,
      isDispatcherOfBoth: true,
      oneManager: true,
      configurationErrorOfBoth: true,
      baseOfBoth: true,
      validationErrorOfBoth: true,
      notAnotherError: false,
      priority: 8,
      attempts: 1,
      deadLettered: 1,
    })
    expect(exports[0]).toBe(exports[1])
  })
})
