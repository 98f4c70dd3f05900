import { close, Scheduler, type SymphonyError, schedule, setConfig } from '@leadmap/symphony'
import { getSchedule } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { isPooled } from '../support/database.js'
import { startProgram } from '../support/programs.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()
const report = { type: 'Report', payload: {} }
const error = vi.spyOn(console, 'error').mockImplementation(() => undefined)

beforeEach(async () => {
  await emptyTables(database, 'messenger_schedules')
})

const count = async () => (await storedMessages(database)).length

function started(options?: ConstructorParameters<typeof Scheduler>[0]): Scheduler {
  const scheduler = new Scheduler({ handleSignals: false, ...options })
  void scheduler.start()
  onTestFinished(() => scheduler.stop())
  return scheduler
}

describe('a scheduler', () => {
  test('has polled when start() resolves', async () => {
    await schedule(report, { at: Date.now() }, { name: 'now' })
    const scheduler = new Scheduler({ handleSignals: false, pollInterval: '1h' })
    onTestFinished(() => scheduler.stop())
    await scheduler.start()
    expect(await count()).toBe(1)
    expect(scheduler.running).toBe(true)
  })

  test('runs what is due and sleeps until the next run', async () => {
    await schedule(report, { cron: '* * * * * *' }, { name: 'tick', missed: 'all' })
    const ran = vi.fn()
    const scheduler = started({ pollInterval: '1h' })
    scheduler.on('ran', ran)
    await expect.poll(count).toBeGreaterThanOrEqual(2)
    expect(ran.mock.calls[0]?.[0]).toMatchObject({ dispatched: expect.any(Number), messages: [{ schedule: 'tick' }] })
    expect(scheduler.running).toBe(true)
    await scheduler.stop()
    expect(scheduler.running).toBe(false)
  })

  test('is woken by a schedule that is due before what it waits for', async ({ skip }) => {
    skip(isPooled(), 'a transaction pooler keeps no session to listen on')
    await schedule(report, { at: Date.now() + 3_600_000 }, { name: 'later' })
    const watch = vi.fn()
    started({ pollInterval: '1h' }).on('ran', watch)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await count()).toBe(0)
    await schedule(report, { at: Date.now() }, { name: 'now' })
    await expect.poll(count).toBe(1)
    expect(await getSchedule('now')).toMatchObject({ status: 'finished', runCount: 1 })
  })

  test('looks now and then, where it hears of no change', async () => {
    await schedule(report, { at: Date.now() + 3_600_000 }, { name: 'quiet' })
    started({ pollInterval: 50 })
    await database.query('UPDATE symphony.messenger_schedules SET next_run_at = now()')
    await expect.poll(count).toBe(1)
  })

  test('tells of errors and goes on', async () => {
    await schedule(report, { at: Date.now() }, { name: 'now' })
    await database.query('ALTER TABLE symphony.messenger_schedules RENAME TO away')
    const scheduler = started({ pollInterval: 50 })
    const [failure] = await new Promise<[SymphonyError]>((resolve) => scheduler.once('error', (it) => resolve([it])))
    expect(failure.code).toBe('SYMPHONY_MIGRATION_MISSING')
    expect(error).toHaveBeenCalled()
    await database.query('ALTER TABLE symphony.away RENAME TO messenger_schedules')
    await expect.poll(count).toBe(1)
  })

  test('names a second start() in one line', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    onTestFinished(() => warn.mockRestore())
    const scheduler = started({ pollInterval: '1h' })
    await scheduler.start()
    expect(warn.mock.calls).toEqual([[expect.stringContaining('start() of a scheduler that runs already')]])
  })

  test('ends with close()', async () => {
    const scheduler = new Scheduler({ handleSignals: false })
    const ended = scheduler.run()
    expect(scheduler.run()).toBe(ended)
    await close()
    await ended
    expect(scheduler.running).toBe(false)
    setConfig({ database: { url: database.url } })
  })

  test('refuses listeners of events that it does not have', () => {
    expect(() => new Scheduler().on('runs' as 'ran', () => undefined)).toThrow(
      'event runs of a scheduler: unknown event; the events are started, ran, error, stopped',
    )
    expect(() => new Scheduler({ polInterval: '1s' } as object)).toThrow('did you mean "pollInterval"?')
  })

  test('refuses options that do not fit', () => {
    expect(() => new Scheduler({ pollInterval: 0 })).toThrow(/options\.pollInterval: got 0/)
    expect(() => new Scheduler({ poll: 1 } as never)).toThrow(
      /options\.poll: unknown option; the options are pollInterval, handleSignals/,
    )
  })

  test('in a process of its own ends at SIGTERM, and lets it exit', async () => {
    await schedule(report, { at: Date.now() }, { name: 'now' })
    const program = startProgram('../scheduler/programs/scheduler.mjs', { SYMPHONY_DATABASE_URL: database.url })
    expect(await program.next()).toBe('ready')
    expect(await program.next()).toEqual(['now'])
    program.process.kill('SIGTERM')
    expect(await program.next()).toBe('stopped')
    expect(await program.ended).toMatchObject({ code: 0, errors: '' })
  })
})
