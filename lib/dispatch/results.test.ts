import { expect, test } from 'vitest'
import { InlineErrors } from './inline-errors.js'
import { readSent, type Sent, toBatchResult, unwrap } from './results.js'

const thrown = new InlineErrors()
const unwrapped = (sent: Sent) => unwrap(sent, thrown)

const first = {
  messageId: 'one',
  status: 'queued',
  transport: 'a',
  queue: 'q',
  priority: 5,
  availableAt: 1_000,
  scheduledAt: 1_000,
  idempotencyKey: 'mine',
}

test('what an answer leaves out is as in the one before', () => {
  const text = JSON.stringify([
    { ok: first },
    { ok: { messageId: 'two' } },
    { ok: { messageId: 'three', priority: 6 } },
  ])
  const [, two, three] = readSent(text).map(unwrapped)
  expect(two).toMatchObject({ messageId: 'two', status: 'queued', transport: 'a', queue: 'q', priority: 5 })
  expect(three).toMatchObject({ messageId: 'three', transport: 'a', priority: 6, availableAt: new Date(1_000) })
})

test('the instant asked for and the key belong to one message alone', () => {
  const [one, two] = readSent(JSON.stringify([{ ok: first }, { ok: { messageId: 'two' } }])).map(unwrapped)
  expect(one).toMatchObject({ scheduledAt: new Date(1_000), idempotencyKey: 'mine' })
  expect(two).not.toHaveProperty('scheduledAt')
  expect(two).toMatchObject({ idempotencyKey: 'two' })
})

test('results share no Date: changing one leaves the others', () => {
  const [one, two] = readSent(JSON.stringify([{ ok: first }, { ok: { messageId: 'two' } }])).map(unwrapped)
  one?.availableAt.setTime(0)
  expect(two?.availableAt).toEqual(new Date(1_000))
})

test('an error stands alone, and the answer after it still refers to the last good one', () => {
  const error = { class: 'TransportError', code: 'SYMPHONY_QUERY', message: 'refused' }
  const results = readSent(JSON.stringify([{ ok: first }, { error }, { ok: { messageId: 'two' } }])).map((sent) =>
    toBatchResult(sent, thrown),
  )
  expect(results[1]).toMatchObject({ success: false, error: { code: 'SYMPHONY_QUERY' } })
  expect(results[2]).toMatchObject({ success: true, messageId: 'two', transport: 'a' })
})
