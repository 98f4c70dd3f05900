/** Sends e-mails by SMTP. */
import nodemailer, { type Transporter } from 'nodemailer'

export interface Mail {
  /** The same in every attempt: the local part of the header `Message-ID`. */
  id: string
  to: string
  subject: string
  html: string
  fromName?: string
  fromEmail?: string
}

const slot = globalThis as { leadmapMailer?: Transporter }

function mailer(): Transporter {
  const { hostname, port, username, password } = new URL(process.env.SMTP_URL ?? 'smtp://127.0.0.1:2525')
  slot.leadmapMailer ??= nodemailer.createTransport({
    pool: true,
    maxConnections: 10,
    maxMessages: Number.POSITIVE_INFINITY,
    host: hostname,
    port: Number(port),
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  })
  return slot.leadmapMailer
}

/** @throws nodemailer's error; a refusal of the server has its `responseCode`. */
export async function sendMail(mail: Mail): Promise<void> {
  await mailer().sendMail({
    messageId: `<${mail.id}@leadmap.example>`,
    from: { name: mail.fromName ?? 'LeadMap', address: mail.fromEmail ?? 'hello@leadmap.example' },
    to: mail.to,
    subject: mail.subject,
    html: mail.html,
  })
}

/** Whether the server refused for good: 5xx, such as an address that does not exist. A 4xx may pass later. */
export function isRefusedForGood(error: unknown): boolean {
  const { responseCode } = error as { responseCode?: number }
  return responseCode !== undefined && responseCode >= 500
}
