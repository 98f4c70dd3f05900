import { type NewEmail, queueEmail } from '@/lib/email-queue'
import { isOperator } from '@/lib/operator'

const FIELDS = ['userId', 'mailboxId', 'toEmail', 'subject', 'html'] as const

/** Queues one e-mail. */
export async function POST(request: Request): Promise<Response> {
  if (!isOperator(request)) return Response.json({ error: 'Unauthorized' }, { status: 401 })
  const body = (await request.json().catch(() => null)) as Record<string, unknown> | null
  const missing = FIELDS.find((field) => typeof body?.[field] !== 'string' || body[field] === '')
  if (missing !== undefined) return Response.json({ error: `${missing} is missing` }, { status: 400 })
  const emailId = await queueEmail(body as unknown as NewEmail)
  return Response.json({ emailId }, { status: 202 })
}
