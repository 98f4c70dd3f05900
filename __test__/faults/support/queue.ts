import { dispatchBatch } from '@leadmap/symphony'
import type { TestDatabase } from '../../support/database.js'

/** A message for `programs/consume.mjs`. */
export interface Work {
  n: number
  /** How long its handler takes, in milliseconds. */
  ms?: number
  /** How long its handler keeps the event loop of its process, in milliseconds. */
  block?: number
  /** Whether its handler takes the process with it. */
  abort?: boolean
}

/** Stores messages; all of them, or it throws. */
export async function fill(work: Work[]): Promise<void> {
  const stored = await dispatchBatch(work.map((payload) => ({ type: 'Work', payload })))
  const refused = stored.find(({ success }) => !success)
  if (refused && !refused.success) throw refused.error
}

/** How many messages are where. */
export interface Tally {
  waiting: number
  held: number
  completed: number
  dead: number
}

const TALLY = `
  SELECT (SELECT count(*) FROM symphony.messenger_messages_pending)::int AS waiting,
         (SELECT count(*) FROM symphony.messenger_messages_processing)::int AS held,
         (SELECT count(*) FROM symphony.messenger_messages_finished WHERE status = 'completed')::int AS completed,
         (SELECT count(*) FROM symphony.messenger_failed_messages)::int AS dead`

/** Counts what is where, in one look. */
export async function tally({ query }: Pick<TestDatabase, 'query'>): Promise<Tally> {
  const [row] = await query<Tally & Record<string, unknown>>(TALLY)
  return row as Tally
}

/** Whether every message has come to its end. */
export async function isDone(database: Pick<TestDatabase, 'query'>): Promise<boolean> {
  const { waiting, held } = await tally(database)
  return waiting + held === 0
}

/** The numbers of the messages that are completed or dead, sorted. */
export async function ended({ query }: Pick<TestDatabase, 'query'>): Promise<number[]> {
  const rows = await query<{ n: number }>(`
    SELECT (body ->> 'n')::int AS n FROM symphony.messenger_messages_finished WHERE status = 'completed'
    UNION ALL
    SELECT (body ->> 'n')::int FROM symphony.messenger_failed_messages
    ORDER BY n`)
  return rows.map(({ n }) => n)
}
