import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startPgbouncer } from '../../scripts/pgbouncer.mjs'
import { type Consumer, type ConsumerOptions, startConsumer } from './support/consumer.js'
import { since, tell } from './support/figures.js'
import { Journal } from './support/journal.js'
import { createOwnQueue } from './support/own-server.js'
import { dispatchOn, type Ledger } from './support/producer.js'
import { ended, fill, isDone, tally } from './support/queue.js'
import { between, numbers, oneOf, random, scaled } from './support/scale.js'
import { until } from './support/until.js'

/** How long things break, in milliseconds; then everything has to come to its end. */
const SPAN = Number(process.env.FAULTS_CHAOS_MS ?? scaled(8000, 60_000))
const BACKLOG = Math.ceil(SPAN / 40)
const LEASE = '2s'

const database = await createOwnQueue()
const { postgres } = database

test('everything breaks at once, again and again: nothing is lost, and nothing is done twice by a living process', {
  timeout: SPAN + 180_000,
}, async () => {
  const urls = [database.url, ...(await pooledUrl())]
  const journal = new Journal()
  await fill(numbers(BACKLOG).map((n) => ({ n, ms: between(5, 60) })))
  const begun = performance.now()
  const chaos = new Chaos(journal, urls)
  await chaos.begin()
  const producer = dispatchOn(BACKLOG, () => ({ ms: between(0, 60) }))
  while (since(begun) < SPAN) {
    await chaos.act()
    await sleep(between(100, 900))
  }
  const ledger = await producer.stop()
  await until('everything is done', () => isDone(database), { patience: 120_000 })
  const took = since(begun)
  await chaos.end()

  const figures = await count(journal, ledger, chaos.excused)
  tell('chaos', { ...figures, ...chaos.done, urls: urls.length, 'ms in all': took })
  // Only who was killed three times in a row may be dead.
  const others = await database.query(
    `SELECT FROM symphony.messenger_failed_messages WHERE error_class <> 'WorkerCrash'`,
  )
  expect(others).toEqual([])
  expect(figures).toMatchObject({ lost: 0, 'two outcomes': 0, 'handled twice without excuse': 0 })
})

/** The books: what was promised, against what the tables and the journal say. */
async function count(journal: Journal, { stored, refused }: Ledger, excused: ReadonlySet<string>) {
  const done = await ended(database)
  const distinct = new Set(done)
  const promised = [...numbers(BACKLOG), ...stored]
  const runs = [...journal.runs().values()]
  // Only a process that was killed, or stopped past its lease, may have begun what another one did again.
  const guilty = runs.filter((each) => each.slice(0, -1).some(({ who }) => !excused.has(who)))
  const { completed, dead } = await tally(database)
  return {
    promised: promised.length,
    'refused meanwhile': refused,
    completed,
    dead,
    lost: promised.filter((n) => !distinct.has(n)).length,
    'two outcomes': done.length - distinct.size,
    'handled twice': runs.filter((each) => each.length > 1).length,
    'handled twice without excuse': guilty.length,
  }
}

/** A PgBouncer in front of the server, where there is one. */
async function pooledUrl(): Promise<string[]> {
  const pooler = await startPgbouncer(database.url)
  if ('missing' in pooler) {
    console.log(`no chaos through a transaction pooler: ${pooler.missing}`)
    return []
  }
  onTestFinished(pooler.stop)
  return [pooler.url]
}

/** Consumers, and what is done to them. */
class Chaos {
  readonly done = { kills: 0, stops: 0, terminations: 0, restarts: 0 }
  /** Processes that may have left something half done, by their name in the journal. */
  readonly excused = new Set<string>()
  readonly #start: () => Promise<Consumer>
  #consumers: Consumer[] = []
  #resumed: Promise<void>[] = []

  constructor(journal: Journal, urls: string[]) {
    const options: Omit<ConsumerOptions, 'url'> = { journal, lease: LEASE, concurrency: 8, batchSize: 20, poll: 100 }
    this.#start = () => startConsumer({ ...options, url: oneOf(urls) })
  }

  async begin(): Promise<void> {
    this.#consumers = await Promise.all(numbers(4).map(this.#start))
  }

  /** Does one of the bad things. */
  async act(): Promise<void> {
    const dice = random()
    if (dice < 0.4) await this.#kill()
    else if (dice < 0.6) this.#stopForAWhile()
    else if (dice < 0.85) await this.#terminate()
    else await this.#restart()
  }

  async end(): Promise<void> {
    await Promise.all(this.#resumed)
    for (const { process } of this.#consumers) expect(process.exitCode ?? process.signalCode).toBeNull()
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()))
  }

  async #kill(): Promise<void> {
    const victim = oneOf(this.#consumers)
    this.excused.add(victim.who)
    await victim.kill()
    this.#consumers[this.#consumers.indexOf(victim)] = await this.#start()
    this.done.kills += 1
  }

  #stopForAWhile(): void {
    const { process, who } = oneOf(this.#consumers)
    this.excused.add(who)
    process.kill('SIGSTOP')
    this.#resumed.push(sleep(between(200, 4000)).then(() => void process.kill('SIGCONT')))
    this.done.stops += 1
  }

  /** Cuts some connections, those of the pooler too. */
  async #terminate(): Promise<void> {
    await database
      .query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND random() < 0.5')
      .catch(() => [])
    this.done.terminations += 1
  }

  async #restart(): Promise<void> {
    await postgres.kill('immediate')
    await sleep(between(0, 500))
    await postgres.restart()
    await database.isBack()
    this.done.restarts += 1
  }
}
