import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { TestDatabase } from '../support/database.js'
import { createQueue, emptyTables } from '../support/symphony.js'
import { type Consumer, startConsumer } from './support/consumer.js'
import { greatest, since, tell } from './support/figures.js'
import { Journal, type Run } from './support/journal.js'
import { ended, fill, tally } from './support/queue.js'
import { between, numbers, oneOf, scaled } from './support/scale.js'
import { until } from './support/until.js'

const database = await createQueue()
const ROUNDS = scaled(2, 30)
const MESSAGES = scaled(800, 5000)
const LEASE = 2000
/** After which a message comes back that was killed as a suspect. */
const SUSPECT_PAUSE = 30_000

test.each(numbers(ROUNDS).map((n) => n + 1))(
  'four consumers, one of them killed every second: nothing is lost (round %i)',
  { timeout: 180_000 },
  async () => {
    await emptyTables(database)
    const journal = new Journal()
    await fill(numbers(MESSAGES).map((n) => ({ n, ms: between(20, 120) })))

    const begun = performance.now()
    const { killed, lastKill } = await drainUnderFire(journal)
    await until(
      'everything is done',
      async () => (await tally(database)).completed + (await tally(database)).dead === MESSAGES,
    )
    const afterLastKill = since(lastKill)

    expect(await ended(database)).toEqual(numbers(MESSAGES))
    const runs = journal.runs()
    expect(runs.size).toBe(MESSAGES)
    const repeated = [...runs.values()].filter((each) => each.length > 1)
    for (const each of repeated) expectInFlightInKilled(each, killed)
    expect(afterLastKill).toBeLessThan(LEASE + SUSPECT_PAUSE + 10_000)

    const { completed, dead } = await tally(database)
    const outcomeNotYetStored = repeated.flat().filter((run) => run.ended && !run.completed)
    tell('1 kill', {
      messages: MESSAGES,
      kills: killed.size,
      completed,
      dead,
      lost: MESSAGES - completed - dead,
      repeated: repeated.length,
      'most runs': greatest([...runs.values()].map((each) => each.length)),
      'repeated though ended': outcomeNotYetStored.filter((run) => killed.has(run.who)).length,
      'ms in all': since(begun),
      'ms after the last kill': afterLastKill,
    })
  },
)

/** Four consumers; every second one of them is killed and replaced, until nine tenths are done. */
async function drainUnderFire(journal: Journal): Promise<{ killed: Map<string, number>; lastKill: number }> {
  const start = () => startConsumer({ url: database.url, journal, lease: `${LEASE}ms` })
  const consumers: Consumer[] = await Promise.all(numbers(4).map(start))
  const killed = new Map<string, number>()
  let lastKill = performance.now()
  while (await isFarFromDone(database)) {
    await sleep(1000)
    const victim = oneOf(consumers)
    killed.set(victim.who, Date.now())
    lastKill = performance.now()
    await victim.kill()
    consumers[consumers.indexOf(victim)] = await start()
  }
  return { killed, lastKill }
}

async function isFarFromDone(database: TestDatabase): Promise<boolean> {
  return (await tally(database)).completed < 0.9 * MESSAGES
}

/** Every run but the last was cut short by a kill: begun before it, and its outcome never stored. */
function expectInFlightInKilled(runs: Run[], killed: Map<string, number>): void {
  for (const run of runs.slice(0, -1)) {
    const killedAt = killed.get(run.who)
    expect(killedAt, `run twice, though nobody killed ${JSON.stringify(runs)}`).toBeDefined()
    expect(run.started).toBeLessThanOrEqual(killedAt as number)
    expect(run.completed, `run twice, though its outcome was stored: ${JSON.stringify(runs)}`).toBeUndefined()
  }
}
