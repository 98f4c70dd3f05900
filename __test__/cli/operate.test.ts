/** Commands for operators, on a real queue. */
import { dispatch } from '@leadmap/symphony'
import { getAuditEntry, listAudit, listPauses } from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { createProject, hasTerminal } from './support.js'

const database = await createQueue()
const project = createProject({}, { SYMPHONY_DATABASE_URL: database.url })

beforeEach(() => emptyTables(database, 'messenger_controls', 'messenger_audit', 'messenger_workers'))

const letters = (): Promise<number> =>
  database.query('SELECT FROM symphony.messenger_failed_messages').then((rows) => rows.length)

const bury = (count: number, type = 'Mail'): Promise<unknown> =>
  database.query(
    `INSERT INTO symphony.messenger_failed_messages
       (id, message_id, created_at, retry_count, priority, transport_name, queue_name, message_type, body, error)
     SELECT gen_random_uuid(), gen_random_uuid(), now(), 3, 5, 'supabase', 'default', $2, '{}', 'ETIMEDOUT'
     FROM generate_series(1, $1::int)`,
    [count, type],
  )

describe('pause and resume', () => {
  test('keep messages from being handled, and say so', async () => {
    const paused = await project.run(['pause', '--queue', 'bulk', '--for', '30m', '--reason', 'provider down'])
    expect(paused).toMatchObject({ code: 0, stdout: '' })
    expect(paused.stderr).toMatch(/✓ queue bulk is paused, ends in (30|29) min/)
    expect(await listPauses()).toMatchObject([
      { queue: 'bulk', reason: 'provider down', actor: expect.stringMatching(/@/) },
    ])
    const { stdout } = await project.run(['pauses'])
    expect(stdout).toMatch(/queue bulk +\S+.* +provider down/)
    expect(JSON.parse((await project.run(['pauses', '--json'])).stdout)).toHaveLength(1)
    const resumed = await project.run(['resume', '--queue', 'bulk'])
    expect(resumed.code).toBe(0)
    expect(resumed.stderr).toContain('queue bulk goes on')
    expect(await project.run(['resume', '--queue', 'bulk'])).toMatchObject({ code: 4 })
    expect(await listPauses()).toEqual([])
  })

  test('want a name, and a transport that there is', async () => {
    expect(await project.run(['pause'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--queue, --type') })
    expect(await project.run(['pause', '--transport', 'nowhere'])).toMatchObject({ code: 4 })
    expect(await listPauses()).toEqual([])
  })
})

test('why says what keeps a message from running', async () => {
  const { messageId } = await dispatch({ type: 'Mail', payload: {} }, { delay: '1h' })
  const { stdout, code } = await project.run(['why', messageId])
  expect(code).toBe(0)
  expect(stdout).toMatch(
    /^Mail in supabase\/default, pending\n→ it is scheduled for .*\n.*\n· then: no worker that lives/,
  )
  expect(JSON.parse((await project.run(['why', messageId, '--json'])).stdout)).toMatchObject({ type: 'Mail' })
  expect(await project.run(['why', '019a7c1e-0000-7000-8000-000000000000'])).toMatchObject({ code: 4 })
})

describe('failed retry --query', () => {
  test('puts back all that match, and the audit says who', async () => {
    await bury(1_200)
    await bury(3, 'Other')
    const { code, stderr, stdout } = await project.run(['failed', 'retry', '--query', 'type:Mail', '--yes', '--json'])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    const entry = JSON.parse(stdout)
    expect(entry).toMatchObject({
      action: 'retry',
      matched: 1_200,
      done: 1_200,
      skipped: 0,
      failed: 0,
      ended: 'completed',
    })
    expect(entry.actor).toMatch(/@/)
    expect(await letters()).toBe(3)
    expect((await project.run(['audit'])).stdout).toMatch(/retry +1200 +completed/)
  })

  test('asks first, and only says what it would do in a dry run', async () => {
    await bury(2)
    const dry = await project.run(['failed', 'retry', '--all', '--dry-run'])
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('would put back 2 dead letters') })
    expect(dry.stderr).toContain('ETIMEDOUT')
    expect(await project.run(['failed', 'retry', '--all'])).toMatchObject({ code: 5 })
    expect(await project.run(['failed', 'remove', '--query', 'type:None', '--yes'])).toMatchObject({ code: 0 })
    expect(await letters()).toBe(2)
    expect((await listAudit()).entries).toEqual([])
    expect(await project.run(['failed', 'remove', '--all', '--yes'])).toMatchObject({ code: 0 })
    expect(await letters()).toBe(0)
  })

  test.each([
    [[], 2, 'say which'],
    [['--all', '--query', 'type:A'], 2, 'say which'],
    [['--query', 'typ:A', '--yes'], 2, 'type'],
    [['--all', '--rate', 'x'], 2, 'above 0'],
  ])('refuses %j', async (words, code, problem) => {
    const ended = await project.run(['failed', 'retry', ...words])
    expect(ended).toMatchObject({ code, stderr: expect.stringContaining(problem) })
  })

  test('Ctrl-C stops it after a step, and --resume goes on', async () => {
    await bury(5_000)
    const running = project.start(['failed', 'retry', '--all', '--yes', '--rate', '1000', '--json'])
    await expect.poll(letters, { timeout: 60_000 }).toBeLessThan(5_000)
    running.kill('SIGINT')
    const stopped = await running
    expect(stopped.exitCode).toBe(1)
    const { id, done } = JSON.parse(String(stopped.stdout))
    expect(String(stopped.stderr)).toContain(`--resume ${id}`)
    expect(done).toBeGreaterThan(0)
    expect(await letters()).toBe(5_000 - done)
    expect(await getAuditEntry(id)).toMatchObject({ done, ended: null })
    const { code, stderr } = await project.run(['failed', 'retry', '--resume', id])
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('5,000 dead letters put back') })
    expect(await letters()).toBe(0)
  })

  test.skipIf(!hasTerminal)('shows how far it is on a terminal', async () => {
    await bury(3_000)
    const { stdout } = await project.runOnTerminal(['failed', 'retry', '--all', '--yes', '--rate', '2000'])
    expect(stdout).toMatch(/█+░* +[\d,]+\/3,000 +\d+\/s/)
    expect(await letters()).toBe(0)
  })
})

test('stop-workers has nothing to do where nobody works', async () => {
  const { code, stderr } = await project.run(['stop-workers', '--wait'])
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('no worker is at work') })
})
