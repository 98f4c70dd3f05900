import { setTimeout as wait } from 'node:timers/promises'
import {
  ConfigurationError,
  type ConsumeOptions,
  type ConsumeResult,
  consumeBatch,
  dispatchBatch,
  type HandlerFunction,
  HandlerRegistry,
  type UntypedMessage,
} from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: '1h' } } })
const NOTHING: Omit<ConsumeResult, 'duration' | 'queueDepth' | 'drained' | 'stoppedBy'> = {
  claimed: 0,
  succeeded: 0,
  retried: 0,
  deadLettered: 0,
  released: 0,
  snoozed: 0,
  discarded: 0,
  lost: 0,
}

beforeEach(() => emptyTables(database))

const fill = (count: number) =>
  dispatchBatch(Array.from({ length: count }, (_, n) => ({ type: 'Numbered', payload: { n } })))

/** One bounded drain with one handler. */
function consume(handler: HandlerFunction<UntypedMessage>, options: ConsumeOptions = {}): Promise<ConsumeResult> {
  const registry = new HandlerRegistry()
  registry.register('Numbered', handler)
  return consumeBatch({ registry, ...options })
}

/** A handler that only ends when its signal is aborted. */
const untilAborted: HandlerFunction<UntypedMessage> = (_message, { signal }) =>
  wait(60_000, undefined, { signal, ref: false })

/** Everything is back as if nobody had claimed it. */
async function expectUntouched(count: number): Promise<void> {
  const [row] = await database.query(
    `SELECT count(*)::int AS n, max(retry_count) AS retries, count(locked_by)::int AS locked,
            max(crash_count) AS crashes, count(last_error)::int AS errors, bool_and(available_at <= now()) AS claimable
     FROM symphony.messenger_messages WHERE status = 'pending'`,
  )
  expect(row).toEqual({ n: count, retries: 0, locked: 0, crashes: 0, errors: 0, claimable: true })
}

describe('consumeBatch()', () => {
  test('of an empty queue says so', async () => {
    expect(await consume(() => undefined)).toEqual({
      ...NOTHING,
      duration: expect.any(Number),
      queueDepth: 0,
      drained: true,
      stoppedBy: 'empty',
    })
  })

  test('handles all that is due', async () => {
    await fill(30)
    await dispatchBatch([{ type: 'Numbered', payload: {} }], { delay: '1h' })
    const result = await consume(() => undefined)
    expect(result).toMatchObject({ claimed: 30, succeeded: 30, drained: true, stoppedBy: 'empty', queueDepth: 0 })
    expect((await storedMessages(database)).map((row) => row.status).sort()).toEqual([
      ...Array(30).fill('completed'),
      'pending',
    ])
  })

  test('counts failures of both kinds', async () => {
    await fill(10)
    const result = await consume(({ payload }) => {
      if (payload.n < 3) throw new Error('perhaps later')
      if (payload.n < 5) throw Object.assign(new Error('never'), { status: 422 })
    })
    expect(result).toMatchObject({ claimed: 10, succeeded: 5, retried: 3, deadLettered: 2, drained: true })
  })

  test('runs maxConcurrency handlers at a time', async () => {
    await fill(12)
    let running = 0
    let most = 0
    const arrivals: Array<() => void> = []
    await consume(
      async () => {
        most = Math.max(most, ++running)
        // Each waits until three are there, so three have to run at once; the most that were seen shows no fourth.
        await new Promise<void>((resolve) => {
          arrivals.push(resolve)
          if (arrivals.length === 3) for (const go of arrivals.splice(0)) go()
        })
        running -= 1
      },
      { maxConcurrency: 3 },
    )
    expect(most).toBe(3)
  })

  test('claims batchSize messages at once', async () => {
    await fill(10)
    let held: number | undefined
    await consume(
      async () => {
        held ??= (await storedMessages(database)).filter((row) => row.status === 'processing').length
      },
      { batchSize: 4, maxConcurrency: 1 },
    )
    expect(held).toBe(4)
  })

  test('lets a slow handler hold back only itself', async () => {
    await fill(40)
    let others = 0
    let allOthers: () => void = () => undefined
    const waitForOthers = new Promise<void>((resolve) => {
      allOthers = resolve
    })
    const result = await consume(
      async ({ payload }) => {
        if (payload.n === 0) await waitForOthers
        else if (++others === 39) allOthers()
      },
      { batchSize: 5, maxConcurrency: 2 },
    )
    expect(result).toMatchObject({ succeeded: 40, drained: true })
  })
})

describe('consumeBatch() stops', () => {
  test('at the message limit', async () => {
    await fill(20)
    const result = await consume(() => undefined, { messageLimit: 7 })
    expect(result).toMatchObject({
      claimed: 7,
      succeeded: 7,
      stoppedBy: 'messageLimit',
      drained: false,
      queueDepth: 13,
    })
    await expectUntouched(13)
  })

  test('at the failure limit', async () => {
    await fill(50)
    const fail = () => {
      throw new Error('no')
    }
    const result = await consume(fail, { failureLimit: 3, batchSize: 10, maxConcurrency: 1 })
    expect(result).toMatchObject({ stoppedBy: 'failureLimit', drained: false })
    expect(result.retried).toBeGreaterThanOrEqual(3)
    expect(result.retried).toBeLessThan(50)
    expect(result.retried + result.released).toBe(result.claimed)
  })

  test('at the memory limit', async () => {
    await fill(50)
    const result = await consume(() => undefined, { memoryLimit: '1M', batchSize: 5, maxConcurrency: 1 })
    expect(result).toMatchObject({ stoppedBy: 'memoryLimit', drained: false, retried: 0 })
    expect(result.succeeded).toBeGreaterThan(0)
    await expectUntouched(50 - result.succeeded)
  })

  test('at the time limit, and hands back what runs and what waits', async () => {
    await fill(20)
    const result = await consume(untilAborted, { timeLimit: 600, batchSize: 10, maxConcurrency: 4 })
    expect(result).toMatchObject({ claimed: 10, succeeded: 0, released: 10, stoppedBy: 'timeLimit', drained: false })
    await expectUntouched(20)
    expect(await consume(() => undefined)).toMatchObject({ succeeded: 20, drained: true })
  })

  test('at the time limit even when handlers ignore their signal, and their late outcome does not count', async () => {
    await fill(3)
    let release: () => void = () => undefined
    const late = new Promise<void>((resolve) => {
      release = resolve
    })
    const result = await consume(() => late, { timeLimit: '600ms' })
    expect(result).toMatchObject({ succeeded: 0, released: 3, stoppedBy: 'timeLimit' })
    await expectUntouched(3)
    release()
    await late
    expect(await consume(() => undefined)).toMatchObject({ succeeded: 3, lost: 0 })
  })

  test('at a deadline, which handlers know', async () => {
    await fill(2)
    const deadline = new Date(Date.now() + 700)
    const known: Array<Date | null> = []
    const handler: HandlerFunction<UntypedMessage> = (message, context) => {
      known.push(context.deadline)
      return untilAborted(message, context, context)
    }
    expect(await consume(handler, { deadline })).toMatchObject({ released: 2, stoppedBy: 'timeLimit' })
    for (const each of known) expect(Math.abs(Number(each) - Number(deadline))).toBeLessThan(500)
    await expectUntouched(2)
  })

  test('at once when the deadline has passed, and still says what waits', async () => {
    await fill(2)
    const result = await consume(() => undefined, { deadline: Date.now() - 1000 })
    expect(result).toMatchObject({ claimed: 0, stoppedBy: 'timeLimit', drained: false, queueDepth: 2 })
  })

  test('when its signal is aborted: running handlers end, the rest goes back', async () => {
    await fill(20)
    const controller = new AbortController()
    const result = await consume(() => controller.abort(), {
      signal: controller.signal,
      batchSize: 10,
      maxConcurrency: 1,
    })
    expect(result).toMatchObject({ stoppedBy: 'signal', drained: false })
    expect(result.succeeded).toBeGreaterThan(0)
    expect(result.succeeded + result.released).toBe(result.claimed)
    await expectUntouched(20 - result.succeeded)
  })

  test("and leaves the signal's own onabort alone", async () => {
    await fill(1)
    const controller = new AbortController()
    const told: string[] = []
    controller.signal.onabort = () => void told.push('onabort')
    await consume(() => controller.abort(), { signal: controller.signal })
    expect(told).toEqual(['onabort'])
  })

  test('before it begins when its signal is aborted already', async () => {
    await fill(2)
    const result = await consume(() => undefined, { signal: AbortSignal.abort() })
    expect(result).toMatchObject({ ...NOTHING, stoppedBy: 'signal', drained: false })
    await expectUntouched(2)
  })
})

describe('a bad option', () => {
  test.each<[object, RegExp]>([
    [{ batchSize: 0 }, /batchSize: got 0, wants a whole number from 1/],
    [{ batchSize: 100_000 }, /batchSize: got 100000, wants a whole number from 1 to 10000/],
    [{ maxConcurrency: 1.5 }, /maxConcurrency: got 1.5/],
    [{ messageLimit: -1 }, /messageLimit: got -1/],
    [{ timeLimit: 'soon' }, /timeLimit: got "soon"/],
    [{ deadline: 1_796_072_538 }, /options.deadline: got 1796072538, wants milliseconds since the epoch, not seconds/],
    [{ deadline: new Date('x') }, /deadline: got an invalid Date, wants a valid Date/],
    [{ memoryLimit: 'much' }, /memoryLimit: got "much", wants bytes/],
    [{ transports: [] }, /transports: got Array/],
    [{ queues: [''] }, /queues: got Array/],
    [{ signal: {} }, /signal: got Object, wants an AbortSignal/],
    [{ registry: {} }, /registry: got Object, wants a HandlerRegistry/],
    [{ limit: 1 }, /options\.limit: unknown option; the options are batchSize/],
  ])('%o is refused by name', async (options, words) => {
    const refusal = consumeBatch(options as ConsumeOptions)
    await expect(refusal).rejects.toThrow(words)
    await expect(refusal).rejects.toBeInstanceOf(ConfigurationError)
  })

  test('an unknown transport is refused by name', async () => {
    await expect(consume(() => undefined, { transport: 'nowhere' })).rejects.toMatchObject({
      code: 'SYMPHONY_UNKNOWN_TRANSPORT',
    })
  })
})
