/** Commands for operators, on a real queue. */
import { dispatch, dispatchBatch } from '@leadmap/symphony'
import { getAuditEntry, listAudit, listMessages, listPauses } from '@leadmap/symphony/admin'
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

describe('cancel, snooze, run-now and move', () => {
  const waiting = (where: string): Promise<number> =>
    database.query(`SELECT FROM symphony.messenger_messages_pending WHERE ${where}`).then((rows) => rows.length)

  const wait = (count: number, type = 'Mail'): Promise<unknown> =>
    dispatchBatch(Array.from({ length: count }, () => ({ message: { type, payload: {} }, options: { delay: '1h' } })))

  test.each([
    [['cancel'], 'false', 'cancelled'],
    [['snooze', '--delay', '3h'], "available_at > now() + interval '2 hours'", 'due in 3 h'],
    [['run-now'], 'available_at <= now()', 'due at once'],
    [
      ['move', '--queue', 'bulk', '--priority', '2'],
      "queue_name = 'bulk' AND priority = 2",
      'moved to queue bulk, priority 2',
    ],
  ])('%j acts on all that match, after a question, and the audit says who', async (command, where, done) => {
    await wait(1_200)
    await wait(3, 'Other')
    const all = [...command, '--query', 'type:Mail', '--reason', 'too many']
    const dry = await project.run([...all, '--dry-run'])
    expect(dry).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/would .*1,200 messages.*; nothing/),
    })
    expect(await project.run(all)).toMatchObject({ code: 5, stderr: expect.stringContaining('pass --yes') })
    expect(await waiting("available_at > now() AND queue_name = 'default'")).toBe(1_203)
    const { code, stdout, stderr } = await project.run([...all, '--yes'])
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: '' })
    expect(stderr).toContain(`1,200 messages ${done}`)
    expect(await waiting(where)).toBe(command[0] === 'cancel' ? 0 : 1_200)
    expect(await waiting("message_type = 'Other' AND available_at > now()")).toBe(3)
    expect((await listAudit()).entries).toMatchObject([
      { done: 1_200, matched: 1_200, ended: 'completed', reason: 'too many', actor: expect.stringMatching(/@/) },
    ])
  })

  test.each([[['snooze', '--delay', '3h']], [['run-now']], [['move', '--queue', 'bulk']]])(
    '%j by ids asks nothing, and says with its exit code if one stays',
    async (command) => {
      const [first, second] = await dispatchBatch([
        { type: 'Mail', payload: {} },
        { type: 'Mail', payload: {} },
      ])
      const ids = [first, second].map((it) => (it as { messageId: string }).messageId)
      expect(await project.run([...command, '-'], { input: ids.join('\n') })).toMatchObject({ code: 0 })
      await project.run(['cancel', ids[0] as string])
      const { code, stdout } = await project.run([...command, ...ids, '--json'])
      expect({ code, entry: JSON.parse(stdout) }).toMatchObject({ code: 1, entry: { done: 1, skipped: 1 } })
    },
  )

  test.each([
    [['cancel'], 'say which'],
    [['cancel', '--all', '--query', 'type:A'], 'say which'],
    [['cancel', '--query', 'typ:A', '--yes'], 'did you mean'],
    [['snooze', '--all'], 'say for how long'],
    [['snooze', '--all', '--delay', 'soon'], 'Wants a duration'],
    [['move', '--all'], 'say where to'],
    [['move', 'no-id', '--queue', 'a'], 'not an id'],
  ])('%j is wrong usage', async (words, problem) => {
    expect(await project.run(words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(problem) })
  })

  test('nothing matches, nothing is done', async () => {
    const ended = await project.run(['cancel', '--query', 'type:None', '--json'])
    expect({ ...ended, stdout: JSON.parse(ended.stdout) }).toMatchObject({ code: 0, stdout: { matched: 0, done: 0 } })
    expect(await project.run(['move', '--all', '--transport', 'nowhere', '--yes'])).toMatchObject({ code: 4 })
  })

  test('Ctrl-C stops after a step, and --resume goes on', async () => {
    await wait(3_000)
    const running = project.start(['cancel', '--all', '--yes', '--rate', '1000', '--json'])
    await expect.poll(() => waiting('true'), { timeout: 60_000 }).toBeLessThan(3_000)
    running.kill('SIGINT')
    const stopped = await running
    expect(stopped.exitCode).toBe(1)
    const { id, done } = JSON.parse(String(stopped.stdout))
    expect(String(stopped.stderr)).toContain(`--resume ${id}`)
    expect(await waiting('true')).toBe(3_000 - done)
    const ended = await project.run(['cancel', '--resume', id])
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('3,000 messages cancelled') })
    expect(await waiting('true')).toBe(0)
  })

  test.skipIf(!hasTerminal)('in production the number is typed, with progress on a terminal', async () => {
    await wait(2_000)
    const child = project.startOnTerminal(['cancel', '--all', '--rate', '2000'], {
      SYMPHONY_ENV: 'production',
      TERM: 'xterm',
    })
    let shown = ''
    child.stdout?.on('data', (text: Buffer) => {
      const isAsked = shown.includes('Type 2000 to cancel 2,000 messages')
      shown += text
      if (!isAsked && shown.includes('Type 2000 to cancel 2,000 messages')) child.stdin?.write('2000\r')
    })
    expect((await child).exitCode).toBe(0)
    expect(shown).toMatch(/█+░* +[\d,]+\/2,000 +\d+\/s/)
    expect(await waiting('true')).toBe(0)
  })
})

describe('failed import', () => {
  test('makes messages of what failed export has written, once', async () => {
    await bury(150)
    await database.query(
      `UPDATE symphony.messenger_failed_messages SET headers = '{"tenant":"acme"}', queue_name = 'mails'`,
    )
    const { stdout: exported } = await project.run(['failed', 'export', 'type:Mail'])
    project.write('letters.ndjson', exported.replaceAll('"payload":{}', '"payload":{"mended":true}'))
    const dry = await project.run(['failed', 'import', 'letters.ndjson', '--dry-run'])
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining('would dispatch 150 messages') })
    const first = await project.run(['failed', 'import', 'letters.ndjson', '--json'])
    expect({ ...first, stdout: JSON.parse(first.stdout) }).toMatchObject({
      code: 0,
      stdout: { imported: 150, duplicates: 0 },
    })
    const again = await project.run(['failed', 'import', '-'], { input: exported })
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('0 messages dispatched · 150 were imported'),
    })
    const { messages } = await listMessages({ limit: 200, full: true })
    expect(messages).toHaveLength(150)
    for (const message of messages) {
      expect(message).toMatchObject({ queue: 'mails', headers: { tenant: 'acme' }, payload: { mended: true } })
    }
  })

  test.each([
    ['{', 2, 'line 1 is not JSON'],
    ['{"type":"A"}', 2, 'line 1 is not a dead letter'],
    ['{"payload":{"n":12345678901234567890}}', 2, 'larger than 2^53'],
  ])('refuses %s', async (line, code, problem) => {
    const ended = await project.run(['failed', 'import', '-'], { input: line })
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(problem) })
    expect(await project.run(['failed', 'import', 'missing.ndjson'])).toMatchObject({ code: 4 })
  })
})

test('stop-workers has nothing to do where nobody works', async () => {
  const { code, stderr } = await project.run(['stop-workers', '--wait'])
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('no worker is at work') })
})
