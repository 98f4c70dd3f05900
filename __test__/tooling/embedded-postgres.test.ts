import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { execa } from 'execa'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { startPostgres } from '../../scripts/servers/postgres.mjs'

describe('the embedded Postgres', () => {
  test('serves with a password, keeps its data and its port over a restart and a crash, and leaves nothing', async () => {
    const server = await startPostgres({ settings: { fsync: 'off', max_connections: '7' } })
    expect(await query(server.url, 'SHOW max_connections')).toEqual([{ max_connections: '7' }])
    await expect(query(server.url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })

    await query(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await server.restart()
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    await server.kill('immediate')
    await expect(query(server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.restart()
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])

    await server.stop()
    await server.stop()
    await expect(query(server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(existsSync(server.dataDir)).toBe(false)
  })

  test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'is gone after the process that started it got %s',
    async (signal) => {
      const parent = await startInChild('setInterval(() => {}, 1000)')
      expect(await query(parent.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
      parent.process.kill(signal)
      await expectGone(parent)
    },
  )

  test('is gone after the process that started it ran to its end', async () => {
    await expectGone(await startInChild(''))
  })

  test('tells why it did not start', async () => {
    await expect(startPostgres({ settings: { no_such_setting: '1' } })).rejects.toThrow(
      /unrecognized configuration parameter "no_such_setting"[\s\S]*SYMPHONY_DATABASE_URL/,
    )
  })
})

async function query(url: string, sql: string) {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** A process that starts a server, tells its address and then does what `rest` says. */
async function startInChild(rest: string) {
  const starter = new URL('../../scripts/servers/postgres.mjs', import.meta.url).href
  const code = `
    import { startPostgres } from ${JSON.stringify(starter)}
    const { url, dataDir } = await startPostgres()
    console.log(JSON.stringify({ url, dataDir }))
    ${rest}`
  const child = execa(process.execPath, ['--input-type=module', '--eval', code], { stderr: 'inherit', reject: false })
  const [text] = await once(child.stdout, 'data')
  return { process: child, ...(JSON.parse(String(text)) as { url: string; dataDir: string }) }
}

async function expectGone({ url, dataDir }: { url: string; dataDir: string }) {
  await vi.waitFor(() => expect(existsSync(dataDir)).toBe(false), { timeout: 5000 })
  await expect(query(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
}
