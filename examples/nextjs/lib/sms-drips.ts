/** SMS drips: texts to the phones enrolled in them, each text some time after the one before it. */
import { dispatchBatch, TransportError } from '@leadmap/symphony'
import { buildSMSMessage } from '@leadmap/symphony/utils'
import type { PoolClient } from 'pg'
import { transaction } from './database'
import { sendSMS } from './sms'

export interface NewDrip {
  userId: string
  name: string
  /** In order; `wait` is an interval of Postgres after the text before. */
  texts: Array<{ text: string; wait?: string }>
  phones: string[]
}

interface DueText {
  enrollment_id: string
  user_id: string
  phone: string
  position: number
  text: string
}

/** Writes a drip with the phones enrolled in it. The cron finds what is due. */
export async function createDrip({ userId, name, texts, phones }: NewDrip): Promise<string> {
  return transaction(async (client) => {
    const { rows } = await client.query('INSERT INTO sms_drips (user_id, name) VALUES ($1, $2) RETURNING id', [
      userId,
      name,
    ])
    const id: string = rows[0].id
    for (const [index, { text, wait }] of texts.entries()) {
      await client.query('INSERT INTO sms_drip_texts (drip_id, position, text, wait) VALUES ($1, $2, $3, $4)', [
        id,
        index + 1,
        text,
        wait ?? '0',
      ])
    }
    await client.query(
      'INSERT INTO sms_drip_enrollments (drip_id, phone) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING',
      [id, phones],
    )
    return id
  })
}

/** One text to one phone, for Symphony and for the provider alike: neither takes it twice. */
const keyOf = ({ enrollment_id, position }: DueText) => `sms-drip:${enrollment_id}:${position}`

/** Symphony's part of the cron route: texts that are due become messages, and their phones move on. */
export async function dispatchDueTexts(limit = 1_000): Promise<{ dispatched: number }> {
  return transaction(async (client) => {
    const due = await lockDueTexts(client, limit)
    if (due.length === 0) return { dispatched: 0 }
    const results = await dispatchBatch(
      due.map((one) =>
        buildSMSMessage({ to: one.phone, message: one.text, userId: one.user_id, idempotencyKey: keyOf(one) }),
      ),
    )
    const stored = due.filter((_, index) => results[index]?.success)
    await moveOn(client, stored)
    for (const result of results) if (!result.success && result.error instanceof TransportError) throw result.error
    return { dispatched: stored.length }
  })
}

/** The legacy cron: sends inside the request, one after the other. */
export async function sendDueTexts(limit = 50): Promise<{ sent: number }> {
  return transaction(async (client) => {
    const due = await lockDueTexts(client, limit)
    const sent: DueText[] = []
    for (const one of due) {
      try {
        await sendSMS({ key: keyOf(one), to: one.phone, text: one.text })
        sent.push(one)
      } catch (error) {
        console.error('an SMS was not sent; the next cron call tries again', error)
      }
    }
    await moveOn(client, sent)
    return { sent: sent.length }
  })
}

async function lockDueTexts(client: PoolClient, limit: number): Promise<DueText[]> {
  const { rows } = await client.query<DueText>(
    `SELECT e.id AS enrollment_id, d.user_id, e.phone, t.position, t.text
     FROM sms_drip_enrollments e
     JOIN sms_drips d ON d.id = e.drip_id
     JOIN sms_drip_texts t ON t.drip_id = e.drip_id AND t.position = e.next_position
     WHERE e.next_at <= now() ORDER BY e.next_at LIMIT $1
     FOR UPDATE OF e SKIP LOCKED`,
    [limit],
  )
  return rows
}

async function moveOn(client: PoolClient, texts: DueText[]): Promise<void> {
  await client.query(
    `UPDATE sms_drip_enrollments e
     SET next_position = next.position, next_at = now() + COALESCE(next.wait, '0')
     FROM unnest($1::text[], $2::integer[]) AS done (enrollment_id, position)
     JOIN sms_drip_enrollments old ON old.id = done.enrollment_id
     LEFT JOIN sms_drip_texts next ON next.drip_id = old.drip_id AND next.position = done.position + 1
     WHERE e.id = done.enrollment_id`,
    [texts.map(({ enrollment_id }) => enrollment_id), texts.map(({ position }) => position)],
  )
}
