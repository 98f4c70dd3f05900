import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  consumeBatch,
  dispatch,
  getConfig,
  getRegistry,
  getRetryConfig,
  getTransportsForMessageType,
  HandlerRegistry,
  resetConfig,
  setConfig,
} from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { loadConfig } from '@leadmap/symphony/config'
import { execa } from 'execa'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { truncate } from '../support/emptying.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'
import { type SnippetModule, writeModules } from './modules.js'
import { serveRoutes } from './routes.js'
import { setFailedMessageId } from './surroundings.js'

const database = await createQueue()
const { modules, project } = writeModules()
const TRANSPORTS = {
  async: { type: 'supabase', queue: 'async' },
  email: { type: 'supabase', queue: 'email', priority: 7 },
  backup: { type: 'postgres' },
}
const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
const routes = await serveRoutes()
vi.stubGlobal('fetch', routes.fetch)
afterAll(() => {
  vi.unstubAllGlobals()
  routes.close()
})

beforeEach(async () => {
  await emptyTables(database)
  getRegistry().clear()
  resetConfig()
  setConfig({ database: { url: database.url }, transports: TRANSPORTS })
  log.mockClear()
})

// biome-ignore lint/suspicious/noExplicitAny: each snippet has its own constants.
type Constants = Record<string, any>

/** Runs a snippet and gives its constants. */
type Run = () => Promise<Constants>

const typesOnly = async (run: Run) => {
  expect(Object.keys(await run())).toEqual([])
}
const rows = () => storedMessages(database)

const pick = ({ queue, priority }: Constants) => ({ queue, priority })

/** Makes one dead letter and answers its id. */
async function bury(): Promise<string> {
  const registry = new HandlerRegistry()
  registry.register('Doomed', () => Promise.reject(Object.assign(new Error('no'), { status: 400 })))
  await dispatch({ type: 'Doomed', payload: {} })
  await consumeBatch({ registry })
  return (await listFailed()).messages[0]?.id ?? ''
}

/** What each snippet shows when it is run. */
const PROOFS: Record<string, (run: Run, snippet: SnippetModule) => Promise<void>> = {
  '000 Default Configuration': async (run) => {
    resetConfig()
    const { config } = await run()
    // Retries bridge more than its 7 s unless it is written out, see docs/decisions/0012-defaults.md.
    const { transports, retry, ...rest } = config
    expect(getConfig()).toMatchObject(rest)
    setConfig({ ...config, database: { url: database.url } })
    expect(getRetryConfig('Any')).toMatchObject(retry.default)
    expect(await dispatch({ type: 'Any', payload: {} })).toMatchObject({
      transport: 'supabase',
      ...pick(transports.supabase),
    })
  },
  '000 Routing Configuration': async (run) => {
    setConfig((await run()).config)
    expect(getTransportsForMessageType('EmailMessage')).toEqual(['email'])
    expect(getTransportsForMessageType('CampaignMessage')).toEqual(['async', 'email'])
    expect(getTransportsForMessageType('SMSMessage')).toEqual(['async'])
  },
  '000 Basic Dispatch': async (run) => {
    const { result } = await run()
    expect(result).toMatchObject({ status: 'queued', priority: 7, queue: 'email' })
    expect(await rows()).toMatchObject([{ id: result.messageId, priority: 7, queue_name: 'email' }])
  },
  '000 Scheduled Dispatch': async (run) => {
    const { result } = await run()
    expect(result.scheduledAt).toEqual(new Date('2024-12-25T00:00:00Z'))
    expect(await rows()).toMatchObject([{ scheduled_at: result.scheduledAt, idempotency_key: 'unique-key-123' }])
  },
  '000 Batch Dispatch': async (run) => {
    const { results } = await run()
    expect(results.map(({ success, priority }: Constants) => [success, priority])).toEqual(Array(3).fill([true, 8]))
    expect((await rows()).map((row) => row.body.n)).toEqual([1, 2, 3])
  },
  '000 Multi-Transport Dispatch': async (run) => {
    await run()
    expect((await rows()).map((row) => row.transport_name).sort()).toEqual(['async', 'backup', 'email'])
  },
  '000 Basic Usage': async (run) => {
    const { result } = await run()
    expect(await rows()).toMatchObject([{ id: result.messageId, priority: 5, body: { subject: 'Hello' } }])
  },
  '000 With Options': async (run) => {
    await run()
    expect(await rows()).toMatchObject([
      {
        transport_name: 'email',
        queue_name: 'high-priority',
        priority: 9,
        scheduled_at: new Date('2024-12-25T00:00:00Z'),
        idempotency_key: 'unique-key-123',
        metadata: { userId: 'user-123' },
        headers: { 'x-custom-header': 'value' },
      },
    ])
  },
  '000 Batch Dispatch (2)': async (run) => {
    expect((await run()).results).toHaveLength(3)
    expect((await rows()).map((row) => [row.queue_name, row.priority])).toEqual(Array(3).fill(['batch', 7]))
  },
  '000 Configuration': async (run) => {
    expect((await run()).transports).toEqual(['email'])
    expect(getTransportsForMessageType('CampaignMessage')).toEqual(['async', 'email'])
  },
  '001 4. Create a Handler': async (run) => {
    const { registry } = await run()
    await dispatch({ type: 'MyMessage', payload: { data: 'value' } })
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(log).toHaveBeenCalledWith('Processing message:', { data: 'value' })
  },
  '001 5. Dispatch a Message': async (run) => {
    await run()
    expect(await rows()).toMatchObject([{ message_type: 'MyMessage', body: { data: 'value' }, priority: 7 }])
  },
  '001 Messages': typesOnly,
  '001 Handlers': typesOnly,
  '001 Send an Email': async (run) => {
    await run()
    expect(await rows()).toMatchObject([
      { message_type: 'EmailMessage', priority: 7, body: { emailId: 'email-123', html: '<p>World</p>' } },
    ])
  },
  '001 Schedule a Message': async (run) => {
    await run()
    const [row] = await rows()
    expect(row?.scheduled_at?.getTime()).toBeGreaterThan(Date.now() + 3_000_000)
  },
  '001 Process a Campaign': async (run) => {
    await run()
    expect(await rows()).toMatchObject([{ message_type: 'CampaignMessage', body: { action: 'process' } }])
  },
  '001 Send an SMS': async (run) => {
    await run()
    expect(await rows()).toMatchObject([{ message_type: 'SMSMessage', body: { to: '+1234567890' } }])
  },
  '001 Runtime Configuration': async (run) => {
    await run()
    expect(getConfig()).toMatchObject({
      defaultPriority: 7,
      transports: { redis: { type: 'redis', queue: 'default', priority: 5 } },
    })
  },
  '001 Check System Health': async (run) => {
    await dispatch({ type: 'Unhandled', payload: {} })
    expect((await run()).health).toMatchObject({ status: expect.any(String), metrics: { queueDepth: 1 } })
    expect(log.mock.calls).toEqual([
      ['Status:', expect.any(String)],
      ['Queue depth:', 1],
    ])
  },
  '001 Get Metrics': async (run) => {
    await truncate(database, ['messenger_metrics'])
    getRegistry().register('Measured', () => undefined)
    await dispatch({ type: 'Measured', payload: {} })
    await consumeBatch()
    expect((await run()).metrics).toMatchObject({ successRate: 1, averageProcessingTime: expect.any(Number) })
    expect(log.mock.calls[0]).toEqual(['Success rate:', 1])
  },
  '001 Check Queue Status': async (run) => {
    await dispatch({ type: 'Unhandled', payload: {} })
    await dispatch({ type: 'Unhandled', payload: {} }, { delay: '1h' })
    expect((await run()).queue).toMatchObject({ depth: 2, pending: 1 })
  },
  '001 Retry Failed Messages': async (run) => {
    setFailedMessageId(await bury())
    expect((await run()).response.status).toBe(200)
    expect((await listFailed()).messages).toEqual([])
    expect(await rows()).toMatchObject([{ message_type: 'Doomed', status: 'pending' }])
  },
  '001 View Failed Messages': async (run) => {
    const id = await bury()
    expect((await run()).messages).toMatchObject([{ id, type: 'Doomed', error: 'no' }])
  },
  '003 symphony.config.ts': async (run, { code }) => {
    const { symphonyConfig } = await run()
    const file = `${project}symphony.config.mjs`
    writeFileSync(file, code)
    expect(await loadConfig(file)).toMatchObject({ defaultTransport: 'supabase' })
    setConfig(symphonyConfig)
    expect(getConfig()).toMatchObject({ worker: symphonyConfig.worker, routing: symphonyConfig.routing })
    expect(getRetryConfig('EmailMessage')).toMatchObject({ maxRetries: 5, delay: 2000, maxDelay: 60_000 })
    expect(await dispatch({ type: 'EmailMessage', payload: {} })).toMatchObject({ transport: 'email', priority: 7 })
  },
  '003 Base Message Interface': typesOnly,
  '003 Example Messages': typesOnly,
  '003 Handler Registration': async (run) => {
    const { emailHandler } = await run()
    const registry = new HandlerRegistry()
    registry.register(emailHandler)
    await dispatch({ type: 'EmailMessage', payload: {} })
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
  },
}

describe('the seed documents', () => {
  test('are those that were given', () => {
    const documents = readdirSync(new URL('./documents/', import.meta.url)).sort()
    expect(documents.map((name) => name.slice(0, 3))).toEqual(['000', '001', '002', '003', '004'])
    const marked = documents.map((name) => readFileSync(new URL(`./documents/${name}`, import.meta.url), 'utf8'))
    expect(marked.map((text) => text.split('```typescript').length - 1)).toEqual([10, 14, 0, 4, 0])
  })

  test('have a proof for every snippet', () => {
    expect(modules.map(({ name }) => name)).toEqual(Object.keys(PROOFS))
  })
})

describe('every snippet', () => {
  test('type-checks against the typings of the package, with no cast', { timeout: 60_000 }, async () => {
    const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
    const { stdout } = await execa(process.execPath, [tsc, '--project', project], { reject: false })
    expect(stdout).toBe('')
    for (const { code } of modules) expect(code).not.toMatch(/ as (?!const)|@ts-/)
  })

  test.each(modules)('runs: $name', async (snippet) => {
    const run: Run = () => import(/* @vite-ignore */ snippet.url)
    await PROOFS[snippet.name]?.(run, snippet)
  })
})
