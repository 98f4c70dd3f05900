/** Every example of the search language finds what it was made for, on a real Postgres. */
import { consumeBatch, dispatch, HandlerError, HandlerRegistry } from '@leadmap/symphony'
import { listFailed, listMessages, removeFailed, retryFailed } from '@leadmap/symphony/admin'
import { beforeAll, describe, expect, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { found, readDocument, section } from './documents.js'

const text = readDocument('docs/search.md')
const examples = found(/^\| `([^|]+)` \|/gm, section(text, 'Examples'))

const database = await createQueue()

beforeAll(async () => {
  const payload = {
    user: { id: 123, plan: 'pro', mail: 'ada@example.com' },
    order: { cents: 12_000 },
    tags: ['new', 'vip'],
  }
  await dispatch(
    { type: 'Email', payload },
    { headers: { tenant: 'acme' }, idempotencyKey: 'welcome/ada', priority: 8 },
  )
  const registry = new HandlerRegistry()
  registry.register('Email', () => {
    throw new HandlerError('mx1: Connection refused', false)
  })
  await consumeBatch({ registry })
  await dispatch(
    { type: 'Email', payload },
    { headers: { tenant: 'acme' }, idempotencyKey: 'welcome/bob', priority: 8 },
  )
  await database.query('UPDATE symphony.messenger_failed_messages SET retry_count = 3')
  await database.query("UPDATE symphony.messenger_messages SET available_at = now() - interval '1 minute'")
})

describe('the examples', () => {
  test('are there', () => expect(examples.length).toBeGreaterThan(10))

  test.each(examples)('%s', async (query) => {
    const lists = await Promise.allSettled([listMessages({ query }), listFailed({ query })])
    const matches = lists.map((it) => (it.status === 'fulfilled' ? it.value.messages.length : 0))
    expect(Math.max(...matches)).toBeGreaterThan(0)
    // `status` and `waited` belong to one of the lists.
    const refused = lists.filter((it) => it.status === 'rejected')
    expect(refused.length).toBe(/status|waited/.test(query) ? 1 : 0)
  })
})

test('the example of a mistake is as the document shows it', async () => {
  const [, query = '', message = ''] = /```text\n(.+)\n(query: [^`]+)\n```/.exec(section(text, 'Mistakes')) ?? []
  await expect(listMessages({ query })).rejects.toMatchObject({
    code: 'SYMPHONY_INVALID_QUERY',
    message: message.replaceAll('\n', ' '),
    details: { character: 8, length: 5 },
  })
})

test('a query without a term puts nothing back and deletes nothing', async () => {
  for (const query of ['', '  ']) {
    for (const act of [retryFailed, removeFailed]) {
      await expect(act({ query })).rejects.toMatchObject({ code: 'SYMPHONY_INVALID_QUERY' })
    }
  }
  expect((await listFailed()).messages.length).toBe(1)
})

test('other names of the default transport are that one, and names that do not exist are refused', async () => {
  expect((await listMessages({ query: 'transport:postgres' })).messages.length).toBe(1)
  expect((await listMessages({ query: 'transport:post*' })).messages).toEqual([])
  await expect(listMessages({ query: '-transport:nope' })).rejects.toMatchObject({ code: 'SYMPHONY_UNKNOWN_TRANSPORT' })
})
