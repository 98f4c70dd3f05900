import { dispatch, HandlerRegistry, Worker } from '@leadmap/symphony'
import { getRuntimeConfigManager } from '@leadmap/symphony/config'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ transports: { email: { type: 'postgres' } } })

beforeEach(() => emptyTables(database))

/** A worker of all transports that is at work, and what it has handled. */
async function startWorker(): Promise<string[]> {
  const handled: string[] = []
  const registry = new HandlerRegistry()
  registry.register('Any', ({ payload }) => void handled.push(payload.name))
  const worker = new Worker({ registry, pollInterval: 50, listen: false, handleSignals: false })
  const ended = worker.run()
  onTestFinished(async () => {
    await worker.stop({ force: true })
    await ended
    getRuntimeConfigManager().reset()
  })
  await send('first', 'supabase')
  await expect.poll(() => handled).toEqual(['first'])
  return handled
}

const send = (name: string, transport: string, delay?: string) =>
  dispatch({ type: 'Any', payload: { name } }, { transport, delay })

const put = (name: string, enabled: boolean) =>
  database.query(
    `INSERT INTO symphony.messenger_transports (name, type, config, enabled) VALUES ($1, 'postgres', '{}', $2)
     ON CONFLICT (name) DO UPDATE SET enabled = $2`,
    [name, enabled],
  )

/** Two messages of another transport, one after the other: the worker has claimed in between. */
async function passBy(handled: string[]): Promise<void> {
  for (const name of ['pass', 'by']) {
    await send(name, 'supabase')
    await expect.poll(() => handled.at(-1)).toBe(name)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

describe('a worker that runs notices a transport that is', () => {
  test('registered', async () => {
    const handled = await startWorker()
    getRuntimeConfigManager().setTransport('fresh', { type: 'postgres' })
    await send('second', 'fresh')
    await expect.poll(() => handled).toEqual(['first', 'second'])
  })

  test('added as a row of the table', async () => {
    const handled = await startWorker()
    await put('row', true)
    await expect.poll(() => send('second', 'row').catch(() => undefined), { interval: 100 }).toBeDefined()
    await expect.poll(() => handled).toEqual(['first', 'second'])
  })

  test('switched off, and on again', async () => {
    const handled = await startWorker()
    const switchTo = (enabled: boolean) =>
      getRuntimeConfigManager().setTransport('email', { type: 'postgres', enabled })
    await send('late', 'email', '1h')
    switchTo(false)
    await passBy(handled)
    await database.query(`UPDATE symphony.messenger_messages SET available_at = now() WHERE transport_name = 'email'`)
    await passBy(handled)
    expect(handled).not.toContain('late')
    switchTo(true)
    await expect.poll(() => handled).toContain('late')
  })
})
