/** The example at work: its server, its database, and what it talks to. */
import { afterAll } from 'vitest'
import { callCron } from '../../../scripts/example/cron.mjs'
import { makeTables, newSecrets, type Running, startServer } from '../../../scripts/example/server.mjs'
import { startSurroundings } from '../../../scripts/example/surroundings.mjs'
import { createDatabase } from '../../support/database.js'

const ON = {
  SYMPHONY_ENABLED: 'true',
  SYMPHONY_EMAIL_QUEUE_ENABLED: 'true',
  SYMPHONY_CAMPAIGN_PROCESSING_ENABLED: 'true',
  SYMPHONY_SMS_DRIP_ENABLED: 'true',
}

/** As the server of the example keeps them, so that a test need not wait for seconds. */
const QUICK = { SYMPHONY_RETRY_DELAY: '100ms', SYMPHONY_RETRY_MULTIPLIER: '1' }

export interface Options {
  /** Over the flags, all on, and short retries. */
  env?: Record<string, string>
  /** Milliseconds that the mail server and the SMS provider take. */
  latency?: number
  /** The server program of a standalone build, instead of `next start`. */
  program?: string
}

/** An answer of the server. */
export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it.
  body: any
}

/** Starts the example with a database of its own; everything ends with the test file. */
export async function startApplication({ env = {}, latency, program }: Options = {}) {
  const database = await createDatabase()
  const surroundings = await startSurroundings({ latency })
  const { mail, sms } = surroundings
  const secrets = newSecrets()
  const urls = { SYMPHONY_DATABASE_URL: database.url, SMTP_URL: mail.url, SMS_URL: sms.url }
  const base = { ...urls, ...secrets, ...ON, ...QUICK, ...env }
  await makeTables(base)
  let server: Running = await startServer({ env: base, program })
  afterAll(async () => {
    await server.stop()
    await surroundings.stop()
  })

  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const headers = { authorization: `Bearer ${secrets.OPERATOR_TOKEN}`, 'content-type': 'application/json' }
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
  }

  return {
    database,
    mail,
    sms,
    secrets,
    get url() {
      return server.url
    },
    output: () => server.output(),
    call,
    /** An endpoint of Symphony, as an operator. */
    symphony: (method: string, path: string, body?: unknown) => call(method, `/api/symphony/${path}`, body),
    /** A cron route by its last name, as Vercel calls it; the body of the answer. */
    cron: (name: string) => callCron(server.url, `/api/cron/${name}`, secrets.CRON_SECRET),
    stop: () => server.stop(),
    kill: () => server.kill(),
    /** A new server, with other variables if given. */
    async restart(changes: Record<string, string> = {}) {
      await server.stop()
      server = await startServer({ env: { ...base, ...changes }, program })
    },
  }
}

export type Application = Awaited<ReturnType<typeof startApplication>>

/** How much waits in the database, but for what is put off for long, and how many dead letters there are. */
export async function waiting({ database }: Application): Promise<{ messages: number; deadLetters: number }> {
  const [row] = await database.query<{ messages: number; deadLetters: number }>(
    `SELECT (SELECT count(*)::int FROM symphony.messenger_messages
             WHERE status IN ('pending', 'processing') AND available_at < now() + interval '1 minute') AS messages,
            (SELECT count(*)::int FROM symphony.messenger_failed_messages) AS "deadLetters"`,
  )
  return row as { messages: number; deadLetters: number }
}

/** Calls the worker's cron route until nothing waits, retries included. */
export async function drain(application: Application): Promise<void> {
  for (let calls = 0; calls < 100; calls += 1) {
    await application.cron('symphony-worker')
    if ((await waiting(application)).messages === 0) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`after 100 cron calls ${JSON.stringify(await waiting(application))} wait; ${application.output()}`)
}

/** Runs some work for each item, so many at a time, results in order. */
export async function inParallel<T, R>(items: T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const entries = items.entries()
  const lane = async () => {
    for (const [index, item] of entries) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: width }, lane))
  return results
}
