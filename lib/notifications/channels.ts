/** Where notifications go. */
import { createHmac } from 'node:crypto'
import { type Logger, processLog } from '../base/logger.js'
import type { Notification, NotificationChannel } from './model.js'

/** How a webhook is called. */
export interface WebhookOptions {
  /** Where to POST the notification, as JSON. */
  url: string
  /** Signs each call: see {@link webhookChannel}. */
  secret?: string
  /** Additional headers. */
  headers?: Record<string, string>
}

/**
 * POSTs each notification as JSON. With a `secret` the header `symphony-signature` is `t=<seconds>,v1=<hex>`: the
 * HMAC-SHA256 of `<seconds>.<body>`. Compare in constant time, and refuse old seconds.
 */
export function webhookChannel({ url, secret, headers }: WebhookOptions): NotificationChannel {
  return {
    name: 'webhook',
    send: (notification, signal) => post(url, JSON.stringify(notification), signal, headers, secret),
  }
}

/** POSTs to an incoming webhook of Slack, or of anything that accepts `{ "text": … }`. */
export function slackChannel({ url }: { url: string }): NotificationChannel {
  return {
    name: 'slack',
    send: (notification, signal) => post(url, JSON.stringify({ text: escaped(textOf(notification)) }), signal),
  }
}

/** Slack reads `<!channel>` and `<address|text>` in a text; a message type may contain user input. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Passes each notification to a function of the application that sends mail. */
export function emailChannel(options: {
  send: (mail: { subject: string; text: string }, notification: Notification) => unknown
}): NotificationChannel {
  return {
    name: 'email',
    send: async (notification) => {
      const [subject = '', ...rest] = textOf(notification).split('\n')
      await options.send({ subject, text: [subject, ...rest].join('\n') }, notification)
    },
  }
}

/** Writes each notification to a logger, by default that of the default instance. */
export function logChannel({ logger }: { logger?: Logger } = {}): NotificationChannel {
  return {
    name: 'log',
    send: async ({ title, ...fields }) => (logger ?? processLog().current).error(title, { ...fields }),
  }
}

async function post(
  url: string,
  body: string,
  signal: AbortSignal,
  headers: Record<string, string> = {},
  secret?: string,
): Promise<void> {
  const signed: Record<string, string> = secret === undefined ? {} : { 'symphony-signature': sign(body, secret) }
  const answer = await fetch(url, {
    method: 'POST',
    body,
    signal,
    redirect: 'manual',
    headers: { 'content-type': 'application/json', ...headers, ...signed },
  })
  await answer.arrayBuffer()
  // Body, signature and headers are only for the configured address.
  if (answer.status >= 300 && answer.status < 400) {
    throw new Error(`answered ${answer.status}, a redirect, which is not followed: give the address it leads to`)
  }
  if (!answer.ok) throw new Error(`answered ${answer.status}`)
}

function sign(body: string, secret: string): string {
  const seconds = Math.floor(Date.now() / 1_000)
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}

function textOf({ title, messageId, transport, suppressed, occurrences }: Notification): string {
  const lines = [title, `message: ${messageId}`, `transport: ${transport}`, `occurrences: ${occurrences}`]
  return suppressed > 0 ? [...lines, `not told before: ${suppressed}`].join('\n') : lines.join('\n')
}
