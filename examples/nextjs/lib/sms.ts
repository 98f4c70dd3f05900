/** Sends SMS through the HTTP interface of a provider. */
import { HandlerError } from '@leadmap/symphony'

export interface SMS {
  /** The provider sends one SMS per key. */
  key: string
  to: string
  text: string
  /** Gives up when it is aborted. */
  signal?: AbortSignal
}

/** @throws HandlerError that says whether another try makes sense, and when. */
export async function sendSMS({ key, to, text, signal }: SMS): Promise<void> {
  const response = await fetch(new URL('/messages', process.env.SMS_URL ?? 'http://127.0.0.1:2526'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ to, text }),
    signal,
  })
  if (response.ok) return
  const retryable = response.status === 429 || response.status >= 500
  const retryAfter = response.headers.get('retry-after') ?? undefined
  throw new HandlerError(`the SMS provider answered ${response.status}`, retryable, { retryAfter })
}
