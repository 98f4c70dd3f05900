/** Commands that change something, on a real queue. */
import { consumeBatch, dispatch, registerHandler, schedule } from '@leadmap/symphony'
import {
  cancelMessage,
  countFailed,
  getMessage,
  getSchedule,
  listAudit,
  listFailed,
  listMessages,
} from '@leadmap/symphony/admin'
import { beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'
import { createProject, hasTerminal } from './support.js'

const database = await createQueue()
const project = createProject({}, { SYMPHONY_DATABASE_URL: database.url })
const production = { env: { SYMPHONY_ENV: 'production' } }

const UNKNOWN = '019a7c1e-0000-7000-8000-000000000000'

registerHandler('Mail', () => {
  throw new TypeError('no such mailbox')
})

beforeEach(() => emptyTables(database, 'messenger_schedules', 'messenger_audit'))

/** Makes dead letters; returns their ids. */
async function deadLetters(count: number): Promise<string[]> {
  for (let n = 0; n < count; n += 1) await dispatch({ type: 'Mail', payload: { n } }, { maxRetries: 0 })
  await consumeBatch()
  return (await listFailed()).messages.map(({ id }) => id)
}

describe('dispatch', () => {
  test('stores what it is told, and prints the id', async () => {
    const options = ['--priority', '9', '--delay', '1h', '--queue', 'mails', '--header', 'tenant=acme', '--key', 'k1']
    const first = await project.run(['dispatch', 'Report', '{ "to": "ada" }', ...options])
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(/^\S+ {2}queued in supabase, due in (1 h|59 min \d+ s)\n$/)
    const message = await getMessage(first.stdout.split(' ')[0] as string)
    expect(message).toMatchObject({ type: 'Report', payload: { to: 'ada' }, priority: 9, queue: 'mails' })
    expect(message?.headers).toMatchObject({ tenant: 'acme' })
    const again = await project.run(['dispatch', 'Report', '--key', 'k1'])
    expect(again.stdout).toBe(`${message?.id}  duplicate in supabase\n`)
  })

  test('takes the payload from stdin and from a file', async () => {
    project.write('payload.json', '{ "from": "file" }')
    await project.run(['dispatch', 'Report', '@payload.json'])
    const { stdout } = await project.run(['dispatch', 'Report', '-', '--json'], { input: '{ "from": "stdin" }' })
    expect(JSON.parse(stdout)).toMatchObject({ status: 'queued', transport: 'supabase' })
    const { messages } = await listMessages({ full: true })
    expect(messages.map(({ payload }) => payload.from)).toEqual(['stdin', 'file'])
  })

  test.each([
    ['{', 2, 'not JSON'],
    ['[1]', 2, 'must be a JSON object'],
    ['{ "id": 12345678901234567890 }', 2, '12345678901234567890, which is larger than 2^53'],
    ['@missing.json', 4, 'missing.json cannot be read'],
  ])('refuses %s', async (payload, code, problem) => {
    const ended = await project.run(['dispatch', 'Report', payload])
    expect(ended.code).toBe(code)
    expect(ended.stderr).toContain(problem)
    expect((await listMessages()).messages).toEqual([])
  })

  test('keeps large numbers that are text, and fractions', async () => {
    const { code } = await project.run([
      'dispatch',
      'Report',
      '{ "id": "12345678901234567890", "x": 0.12345678901234567 }',
    ])
    expect(code).toBe(0)
  })
})

test('cancel: what waits is cancelled, what is unknown is 4, what is over is 1', async () => {
  const { messageId } = await dispatch({ type: 'Report', payload: {} })
  const dry = await project.run(['cancel', messageId, '--dry-run'])
  expect(dry).toMatchObject({ code: 0, stdout: '' })
  expect((await getMessage(messageId))?.status).toBe('pending')
  expect((await project.run(['cancel', messageId, UNKNOWN])).code).toBe(4)
  expect((await getMessage(messageId))?.status).toBe('cancelled')
  const again = await project.run(['cancel', messageId, '--json'])
  expect(again.code).toBe(1)
  expect(JSON.parse(again.stdout)).toEqual([{ id: messageId, cancelled: false, status: 'cancelled' }])
  expect((await project.run(['cancel', 'nonsense'])).code).toBe(2)
})

describe('edit', () => {
  test('changes a message that waits, with every digit, and the audit says who and why', async () => {
    const { messageId } = await dispatch({ type: 'Report', payload: { n: 1 } }, { delay: '1h' })
    const changes = ['--payload', '{ "n": 12345678901234567890 }', '--priority', '9', '--header', 'tenant=acme']
    const ended = await project.run(['edit', messageId, ...changes, '--delay', '0', '--reason', 'typing error'])
    expect(ended).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('has changed') })
    const message = await getMessage(messageId)
    expect(message).toMatchObject({ priority: 9, headers: { tenant: 'acme' } })
    expect(message?.payloadText).toBe('{"n": 12345678901234567890}')
    expect(message?.availableAt.getTime()).toBeLessThanOrEqual(Date.now() + 60_000)
    const [entry] = (await listAudit()).entries
    expect(entry).toMatchObject({ action: 'edit', actor: expect.stringMatching(/@/), reason: 'typing error' })
    const json = await project.run(['edit', messageId, '--payload', '-', '--json'], { input: '{ "n": 2 }' })
    expect(JSON.parse(json.stdout)).toEqual({ id: messageId, edited: true, status: 'pending' })
    await cancelMessage(messageId)
    expect(await project.run(['edit', messageId, '--priority', '1'])).toMatchObject({ code: 1 })
  })

  test.each([
    [[], 2, 'say what changes'],
    [['--payload', '['], 2, 'not JSON'],
    [['--payload', '[1]'], 2, 'must be a JSON object'],
    [['--payload', '@missing.json'], 4, 'cannot be read'],
    [['--delay', 'soon'], 2, 'Wants a duration'],
    [['--queue', 'mails'], 4, 'no message has the id'],
  ])('refuses %j', async (words, code, problem) => {
    const ended = await project.run(['edit', UNKNOWN, ...words])
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(problem) })
  })
})

describe('failed retry', () => {
  test('puts back those that are named, and says which do not exist', async () => {
    const [first = '', second = ''] = await deadLetters(3)
    const { code, stdout, stderr } = await project.run(['messenger:failed:retry', first, UNKNOWN, second, '--json'])
    expect(code).toBe(4)
    expect(stderr).toContain(`no dead letter has the id ${UNKNOWN}`)
    const { retried, missing } = JSON.parse(stdout)
    expect(retried.map(({ failedMessageId }: { failedMessageId: string }) => failedMessageId).sort()).toEqual(
      [first, second].sort(),
    )
    expect(missing).toEqual([UNKNOWN])
    expect((await countFailed()).total).toBe(1)
    expect((await listMessages({ status: 'pending' })).messages).toHaveLength(2)
  })

  test('takes ids from a pipe, more than one step of them', async () => {
    await deadLetters(130)
    const { stdout: ids } = await project.run(['failed', 'list', '--ids', '--limit', '200'])
    const dry = await project.run(['failed', 'retry', '-', '--dry-run'], { input: ids })
    expect(dry.stderr).toContain('would put back 130 dead letters')
    expect((await countFailed()).total).toBe(130)
    const { code, stderr } = await project.run(['failed', 'retry', '-'], { input: ids })
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('130 dead letters put back') })
    expect((await countFailed()).total).toBe(0)
  })
})

describe('what cannot be undone', () => {
  test('wants a yes, and without a terminal does not wait for one', async () => {
    const [id = ''] = await deadLetters(1)
    for (const words of [
      ['failed', 'remove', id],
      ['rollback', '--to', '0'],
    ]) {
      const { code, stderr } = await project.run(words)
      expect(code).toBe(5)
      expect(stderr).toContain('pass --yes')
    }
    expect((await countFailed()).total).toBe(1)
  })

  test('--dry-run says what would be done; --yes does it, in production too', async () => {
    const ids = await deadLetters(2)
    const dry = await project.run(['failed', 'remove', ...ids, '--dry-run'])
    expect(dry.stderr).toMatch(/Mail {2}no such mailbox\n.*\nwould delete 2 dead letters; nothing was done\n$/)
    expect((await countFailed()).total).toBe(2)
    expect((await project.run(['failed', 'remove', ...ids, '--yes'], production)).code).toBe(0)
    expect((await countFailed()).total).toBe(0)
    expect((await project.run(['failed', 'remove', ids[0] as string, '--yes'])).code).toBe(4)
  })

  test.skipIf(!hasTerminal).each([
    ['development', 'y', 0],
    ['development', 'n', 1],
    ['development', '\x03', 1],
    ['production', '2\r', 0],
    ['production', 'y\r', 1],
  ])('on a terminal, in %s, the answer %j ends with %d', async (environment, answer, code) => {
    const ids = await deadLetters(2)
    const ended = await answering(['failed', 'remove', ...ids], answer, environment)
    expect(ended).toMatchObject({ code })
    expect((await countFailed()).total).toBe(code === 0 ? 0 : 2)
  })

  /** Answers once the question is there. */
  async function answering(
    words: string[],
    answer: string,
    environment: string,
  ): Promise<{ code: number | undefined }> {
    const child = project.startOnTerminal(words, { SYMPHONY_ENV: environment, TERM: 'xterm' })
    let shown = ''
    child.stdout?.on('data', (text: Buffer) => {
      const isAsked = /(Really|Type 2 to) delete 2 dead letters/.test(shown)
      shown += text
      if (!isAsked && /(Really|Type 2 to) delete 2 dead letters/.test(shown)) child.stdin?.write(answer)
    })
    return { code: (await child).exitCode }
  }
})

describe('schedules', () => {
  beforeEach(() => schedule({ type: 'Report', payload: {} }, { cron: '0 9 * * *' }, { name: 'report' }))

  test('are paused and resumed, and run beside their plan', async () => {
    expect((await project.run(['schedules', 'pause', 'report'])).code).toBe(0)
    expect((await getSchedule('report'))?.status).toBe('paused')
    expect((await project.run(['schedules', 'run', 'report'])).stdout).toMatch(/^\S+ {2}queued in supabase\n$/)
    expect((await project.run(['schedules:resume', 'report'])).stderr).toMatch(/report is active; next run in /)
    expect((await listMessages()).messages).toHaveLength(1)
  })

  test('are removed after a yes', async () => {
    expect((await project.run(['schedules', 'remove', 'report'])).code).toBe(5)
    expect(await getSchedule('report')).not.toBeNull()
    expect((await project.run(['schedules', 'remove', 'report', '--yes'])).code).toBe(0)
    expect(await getSchedule('report')).toBeNull()
  })

  test.each(['pause', 'resume', 'run', 'remove'])('%s of one that does not exist is 4', async (command) => {
    expect((await project.run(['schedules', command, 'nothing'])).code).toBe(4)
  })
})

test('cleanup says how much of each kind it deleted', async () => {
  const { code, stdout } = await project.run(['cleanup', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ completed: 0, failed: 0, metrics: 0 })
})

test('rollback reverts, and migrate brings back', async () => {
  const { version } = JSON.parse((await project.run(['migrate', 'status', '--json'])).stdout)
  const dry = await project.run(['rollback', '--to', String(version - 1), '--dry-run'])
  expect(dry.stderr).toContain(`would revert 1 migration, to version ${version - 1}`)
  const { stdout } = await project.run(['rollback', '--to', String(version - 1), '--yes'])
  expect(stdout).toContain(`tables at version ${version - 1}`)
  expect((await project.run(['rollback', '--to', String(version - 1)])).stdout).toContain('nothing to do')
  expect((await project.run(['migrate'])).stdout).toContain(`tables at version ${version}`)
  expect((await project.run(['rollback'])).code).toBe(2)
})
