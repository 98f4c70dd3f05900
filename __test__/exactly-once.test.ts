import { dispatchBatch } from '@leadmap/symphony'
import { expect, test } from 'vitest'
import { startProgram } from './support/programs.js'
import { createQueue } from './support/symphony.js'

const database = await createQueue()
const MESSAGES = 10_000

test('10,000 messages and 4 consuming processes: each is handled once', async () => {
  const numbers = Array.from({ length: MESSAGES }, (_, n) => n)
  const stored = await dispatchBatch(numbers.map((n) => ({ type: 'Numbered', payload: { n } })))
  expect(stored.every(({ success }) => success)).toBe(true)

  const programs = numbers
    .slice(0, 4)
    .map(() => startProgram('consume-all.mjs', { SYMPHONY_DATABASE_URL: database.url }))
  await Promise.all(programs.map(async (program) => expect(await program.next()).toBe('ready')))
  for (const program of programs) program.tell('go')
  const said = await Promise.all(programs.map((program) => program.next()))

  const handled: number[] = said.flatMap((each) => each.handled)
  expect(handled.sort((left, right) => left - right)).toEqual(numbers)
  for (const { handled, result } of said) {
    expect(handled.length).toBeGreaterThan(0)
    expect(result).toMatchObject({
      claimed: handled.length,
      succeeded: handled.length,
      retried: 0,
      released: 0,
      lost: 0,
    })
  }
  const rows = await database.query(
    'SELECT status, count(*)::int AS n, max(retry_count) AS retries FROM symphony.messenger_messages GROUP BY status',
  )
  expect(rows).toEqual([{ status: 'completed', n: MESSAGES, retries: 0 }])
  for (const program of programs) expect(await program.ended).toMatchObject({ code: 0 })
})
