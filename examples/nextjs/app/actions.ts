'use server'

/** What the forms of the page do. */
import { retryFailed } from '@leadmap/symphony/admin'
import { revalidatePath } from 'next/cache'
import { createCampaign } from '@/lib/campaigns'
import { queueEmail } from '@/lib/email-queue'
import { createDrip } from '@/lib/sms-drips'

const userId = 'user-1'

export async function sendEmail(form: FormData): Promise<void> {
  const subject = text(form, 'subject')
  await queueEmail({ userId, mailboxId: 'mailbox-1', toEmail: text(form, 'to'), subject, html: `<p>${subject}</p>` })
  revalidatePath('/')
}

export async function startCampaign(form: FormData): Promise<void> {
  const name = text(form, 'name')
  await createCampaign({
    userId,
    name,
    steps: [
      { subject: `${name}: welcome`, html: '<p>Welcome</p>' },
      { subject: `${name}: how is it going?`, html: '<p>Hello again</p>', wait: '10 seconds' },
    ],
    recipients: numbered(form, (number) => `lead-${number}-${Date.now()}@example.com`),
  })
  revalidatePath('/')
}

export async function startDrip(form: FormData): Promise<void> {
  const name = text(form, 'name')
  await createDrip({
    userId,
    name,
    texts: [{ text: `${name}: hello` }, { text: `${name}: still there?`, wait: '10 seconds' }],
    phones: numbered(form, (number) => `+1212${Date.now() % 1_000_000}${number}`),
  })
  revalidatePath('/')
}

export async function redrive(form: FormData): Promise<void> {
  await retryFailed(text(form, 'id'))
  revalidatePath('/')
}

function text(form: FormData, name: string): string {
  return String(form.get(name) ?? '').trim()
}

function numbered(form: FormData, make: (number: number) => string): string[] {
  const count = Math.min(Math.max(Number(form.get('count')) || 1, 1), 1_000)
  return Array.from({ length: count }, (_, index) => make(index + 1))
}
