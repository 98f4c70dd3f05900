'use server'

/** What the forms of the page do. */
import { cancelMessage, retryFailed } from '@leadmap/symphony/admin'
import { createCampaign } from '@/lib/campaigns'
import { queueEmail, queueEmails } from '@/lib/email-queue'
import { createDrip } from '@/lib/sms-drips'

const from = { userId: 'user-1', mailboxId: 'mailbox-1' }

export async function sendEmail(form: FormData): Promise<void> {
  const subject = text(form, 'subject')
  await queueEmail({ ...from, toEmail: text(form, 'to'), subject, html: '<p>Hello</p>' })
}

/** Of a thousand, 40 are refused twice before they are accepted, and 20 are refused for good. */
export async function sendThousand(): Promise<void> {
  const name = (number: number) => (number % 50 === 0 ? 'nobody' : number % 20 === 0 ? 'busy' : 'lead')
  await queueEmails(
    Array.from({ length: 1_000 }, (_, index) => ({
      ...from,
      toEmail: `${name(index + 1)}-${index + 1}@example.com`,
      subject: 'Hello',
      html: '<p>Hello</p>',
    })),
  )
}

export async function startCampaign(form: FormData): Promise<void> {
  const name = text(form, 'name')
  await createCampaign({
    userId: from.userId,
    name,
    steps: [
      { subject: `${name}: welcome`, html: '<p>Welcome</p>' },
      { subject: `${name}: how is it going?`, html: '<p>Hello again</p>', wait: '10 seconds' },
    ],
    recipients: numbered(form, (number) => `lead-${number}@example.com`),
  })
}

export async function startDrip(form: FormData): Promise<void> {
  const name = text(form, 'name')
  await createDrip({
    userId: from.userId,
    name,
    texts: [{ text: `${name}: hello` }, { text: `${name}: still there?`, wait: '10 seconds' }],
    phones: numbered(form, (number) => `+1212${1_000 + number}`),
  })
}

export async function redrive(form: FormData): Promise<void> {
  await retryFailed(text(form, 'id'))
}

export async function cancel(form: FormData): Promise<void> {
  await cancelMessage(text(form, 'id'))
}

function text(form: FormData, name: string): string {
  return String(form.get(name) ?? '').trim()
}

function numbered(form: FormData, make: (number: number) => string): string[] {
  const count = Math.min(Math.max(Number(form.get('count')) || 1, 1), 1_000)
  return Array.from({ length: count }, (_, index) => make(index + 1))
}
