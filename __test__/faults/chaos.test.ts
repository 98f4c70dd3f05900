import { setTimeout as sleep } from 'node:timers/promises'
import { getMetrics } from '@leadmap/symphony/admin'
import { expect, onTestFinished, test } from 'vitest'
import { startPgbouncer } from '../../scripts/servers/pgbouncer.mjs'
import { noteClaims, readClaims } from './support/claims.js'
import { holdAllCommits, letAllCommitsGo } from './support/commits.js'
import { type Consumer, type ConsumerOptions, startConsumer } from './support/consumer.js'
import { since, tell } from './support/figures.js'
import { Journal, type Run } from './support/journal.js'
import { createOwnQueue } from './support/own-server.js'
import { dispatchOn, type Ledger } from './support/producer.js'
import { ended, fill, isDone, tally } from './support/queue.js'
import { type Relay, startRelay } from './support/relay.js'
import { type Excuse, excuses, type Standstill, type Standstills } from './support/repeats.js'
import { between, numbers, oneOf, random, scaled } from './support/scale.js'
import { until } from './support/until.js'

/** How long things break, in milliseconds; then everything has to come to its end. */
const SPAN = Number(process.env.FAULTS_CHAOS_MS ?? scaled(8000, 60_000))
const BACKLOG = Math.ceil(SPAN / 40)
/** In milliseconds. */
const LEASE = 2000

const database = await createOwnQueue()
const { postgres } = database

test('everything breaks at once, again and again: nothing is lost, and nothing is done twice by a living process', {
  timeout: SPAN + 180_000,
}, async () => {
  await noteClaims(database)
  const relay = await startRelay(database.url)
  const urls = [database.url, relay.url, ...(await pooledUrl())]
  const journal = new Journal()
  await fill(numbers(BACKLOG).map((n) => ({ n, ms: between(5, 60) })))
  const begun = performance.now()
  const chaos = new Chaos(journal, urls, relay)
  await chaos.begin()
  const producer = dispatchOn(BACKLOG, () => ({ ms: between(0, 60) }))
  while (since(begun) < SPAN) {
    await chaos.act()
    await sleep(between(100, 900))
  }
  const ledger = await producer.stop()
  await until('everything is done', () => isDone(database), { patience: 120_000 }).catch(async (error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await leftBehind())}`)
  })
  const took = since(begun)
  await chaos.end()

  const figures = await count(journal, ledger, chaos)
  tell('chaos', { ...figures, ...chaos.done, urls: urls.length, 'ms in all': took })
  // Only who was killed three times in a row may be dead.
  const others = await database.query(
    `SELECT FROM symphony.messenger_failed_messages WHERE error_class <> 'WorkerCrash'`,
  )
  expect(others).toEqual([])
  expect(figures).toMatchObject({ lost: 0, 'two outcomes': 0, 'handled twice without excuse': 0 })
  // What is counted is what the database did, to the last message.
  expect(figures).toMatchObject({ 'counted too many': 0, 'counted as dead too many': 0 })
  // A process that has left leaves nothing behind, not even a lease.
  expect(await leftBehind()).toMatchObject({ waiting: 0, held: 0, heldByNobody: 0 })
})

/** What has not come to its end, and how much of it no worker would ever come back to. */
async function leftBehind() {
  const [nobody] = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM symphony.messenger_messages_processing held
     WHERE NOT EXISTS (SELECT FROM symphony.messenger_workers WHERE id = held.worker_id)`,
  )
  const workers = await database.query('SELECT id, pid, lease_until - now() AS lease FROM symphony.messenger_workers')
  return { ...(await tally(database)), heldByNobody: nobody?.n, workers }
}

/** The books: what was promised, against what the tables and the journal say. */
async function count(journal: Journal, { stored, refused }: Ledger, { standstills }: Chaos) {
  const done = await ended(database)
  const distinct = new Set(done)
  const promised = [...numbers(BACKLOG), ...stored]
  const claims = await readClaims(database)
  const repeats = [...journal.runs().values()]
    .filter((runs) => runs.length > 1)
    .map((runs) => {
      const claimed = claims.get((runs[0] as Run).n) ?? []
      return { runs, claimed, why: excuses(runs, claimed, standstills, LEASE) }
    })
  const because = (excuse: Excuse | undefined) => repeats.filter(({ why }) => why.includes(excuse)).length
  for (const { runs, claimed, why } of repeats.filter(({ why }) => why.includes(undefined))) {
    console.log(
      `handled twice without excuse: ${JSON.stringify({ runs, claimed, why, ...about(runs, journal, standstills) })}`,
    )
  }
  const { completed, dead } = await tally(database)
  const { totalSucceeded, totalDeadLettered } = await getMetrics({ minutes: 24 * 60 })
  return {
    promised: promised.length,
    'refused meanwhile': refused,
    completed,
    dead,
    lost: promised.filter((n) => !distinct.has(n)).length,
    'two outcomes': done.length - distinct.size,
    'counted too many': totalSucceeded - completed,
    'counted as dead too many': totalDeadLettered - dead,
    'handled twice': repeats.length,
    'after a kill': because('kill'),
    'after a stop': because('stop'),
    'after a standstill of the server': because('standstill of the server'),
    'handled twice without excuse': because(undefined),
  }
}

/** What else is known of the processes that ran a message. */
function about(runs: Run[], journal: Journal, { server, processes }: Standstills) {
  const [names, of] = [runs.map(({ who }) => who), runs.map(({ n }) => n)]
  const began = Math.min(...runs.map(({ started }) => started))
  const isNear = ({ at }: { at: number }) => Math.abs(at - began) < 5 * LEASE
  const lines = journal.lines().filter((it) => names.includes(it.who) && (of.includes(it.n) || it.did === 'error'))
  const stood = Object.fromEntries(names.map((who) => [who, processes.get(who) ?? []]))
  return { lines: lines.filter(isNear), server, stood }
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
  readonly done = { kills: 0, terms: 0, stops: 0, cuts: 0, terminations: 0, holds: 0, restarts: 0 }
  readonly standstills = { server: [] as Standstill[], processes: new Map<string, Standstill[]>() }
  readonly #start: () => Promise<Consumer>
  readonly #relay: Relay
  #consumers: Consumer[] = []
  readonly #stopped = new Set<Consumer>()
  /** What goes on by itself, and ends. */
  #pending: Promise<void>[] = []
  #leaving: Consumer['ended'][] = []

  constructor(journal: Journal, urls: string[], relay: Relay) {
    this.#relay = relay
    const options: Omit<ConsumerOptions, 'url'> = {
      journal,
      lease: `${LEASE}ms`,
      concurrency: 8,
      batchSize: 20,
      poll: 100,
    }
    this.#start = () => startConsumer({ ...options, url: oneOf(urls) })
  }

  async begin(): Promise<void> {
    this.#consumers = await Promise.all(numbers(4).map(this.#start))
  }

  /** Does one of the bad things. */
  async act(): Promise<void> {
    const dice = random()
    if (dice < 0.15) await this.#hold()
    else if (dice < 0.25) await this.#restart()
    else await this.#hurt()
  }

  /** What is done to single processes and connections. */
  async #hurt(): Promise<void> {
    const dice = random()
    if (dice < 0.3) await this.#kill()
    else if (dice < 0.5) await this.#term()
    else if (dice < 0.65) this.#stopForAWhile()
    else if (dice < 0.85) this.#cut()
    else await this.#terminate()
  }

  async end(): Promise<void> {
    await Promise.all(this.#pending)
    for (const { code, errors } of await Promise.all(this.#leaving)) expect(code, errors).toBe(0)
    for (const { process } of this.#consumers) expect(process.exitCode ?? process.signalCode).toBeNull()
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()))
  }

  async #kill(): Promise<void> {
    const victim = oneOf(this.#consumers)
    this.#standsStill(victim)
    await victim.kill()
    this.#consumers[this.#consumers.indexOf(victim)] = await this.#start()
    this.done.kills += 1
  }

  /** As a deployment does: it may finish and hand back, so nothing that it had begun may be done again. */
  async #term(): Promise<void> {
    const victim = oneOf(this.#consumers)
    victim.process.kill('SIGTERM')
    this.#consumers[this.#consumers.indexOf(victim)] = await this.#start()
    this.#leaving.push(victim.ended)
    this.done.terms += 1
  }

  /** Cuts connections over the wire: one in the middle of an answer, or all at once. */
  #cut(): void {
    if (random() < 0.7) this.#relay.tearAnswer()
    else this.#relay.cut()
    this.done.cuts += 1
  }

  /** Every commit hangs for a while, and meanwhile other things go wrong. */
  async #hold(): Promise<void> {
    const from = Date.now()
    await holdAllCommits(database)
    await sleep(between(50, 1500))
    await this.#hurt()
    await sleep(between(0, 1500))
    await letAllCommitsGo(database)
    this.standstills.server.push({ from, to: Date.now() })
    this.done.holds += 1
  }

  #stopForAWhile(): void {
    const running = this.#consumers.filter((it) => !this.#stopped.has(it))
    if (running.length === 0) return
    const victim = oneOf(running)
    const standstill = this.#standsStill(victim)
    this.#stopped.add(victim)
    victim.process.kill('SIGSTOP')
    const goOn = () => {
      victim.process.kill('SIGCONT')
      standstill.to = Date.now()
      this.#stopped.delete(victim)
    }
    this.#pending.push(sleep(between(200, 4000)).then(goOn))
    this.done.stops += 1
  }

  /** From now on, and forever unless something is done about it. */
  #standsStill({ who }: Consumer): Standstill {
    const standstill = { from: Date.now(), to: Number.POSITIVE_INFINITY }
    this.standstills.processes.set(who, [...(this.standstills.processes.get(who) ?? []), standstill])
    return standstill
  }

  /** Cuts some connections, those of the pooler too. */
  async #terminate(): Promise<void> {
    await database
      .query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND random() < 0.5')
      .catch(() => [])
    this.done.terminations += 1
  }

  async #restart(): Promise<void> {
    const from = Date.now()
    await postgres.kill('immediate')
    await sleep(between(0, 500))
    await postgres.restart()
    await database.isBack()
    this.standstills.server.push({ from, to: Date.now() })
    this.done.restarts += 1
  }
}
