import { connection } from 'next/server'
import type { ReactNode } from 'react'
import { overview } from '@/lib/overview'
import '@/lib/symphony'
import { redrive, sendEmail, startCampaign, startDrip } from './actions'
import { Refresh } from './refresh'

/** Dispatches, and shows the queue at work. A real application puts this behind its log-in. */
export default async function Page() {
  await connection()
  const { flags, queues, failed, emails, campaigns, drips, deliveries } = await overview()
  return (
    <main>
      <Refresh />
      <h1>LeadMap</h1>
      <p>
        {Object.entries(flags).map(([flag, on]) => (
          <span key={flag} className={on ? 'flag on' : 'flag'}>
            {flag} {on ? 'on' : 'off'}
          </span>
        ))}
      </p>

      <section className="forms">
        <form action={sendEmail}>
          <h2>E-mail</h2>
          <input name="to" type="email" defaultValue="ada@example.com" aria-label="To" required />
          <input name="subject" defaultValue="Hello" aria-label="Subject" required />
          <button type="submit">Send</button>
          <small>busy@… is refused twice, nobody@… for good</small>
        </form>
        <form action={startCampaign}>
          <h2>Campaign of two steps</h2>
          <input name="name" defaultValue="Autumn" aria-label="Name" required />
          <input name="count" type="number" min="1" max="1000" defaultValue="20" aria-label="Recipients" required />
          <button type="submit">Start</button>
        </form>
        <form action={startDrip}>
          <h2>SMS drip of two texts</h2>
          <input name="name" defaultValue="Reminder" aria-label="Name" required />
          <input name="count" type="number" min="1" max="1000" defaultValue="5" aria-label="Phones" required />
          <button type="submit">Start</button>
        </form>
      </section>

      <Table title="Queues" heads={['queue', 'due', 'delayed', 'running', 'oldest']}>
        {queues.map(({ transport, queue, pending, delayed, processing, oldestAge }) => (
          <tr key={`${transport}/${queue}`}>
            <td>
              {transport}/{queue}
            </td>
            <td>{pending}</td>
            <td>{delayed}</td>
            <td>{processing}</td>
            <td>{oldestAge === null ? '' : `${(oldestAge / 1_000).toFixed(1)} s`}</td>
          </tr>
        ))}
      </Table>

      <Table title="Rows of email_queue" heads={['status', 'rows']}>
        {emails.map(({ status, count }) => (
          <tr key={status}>
            <td>{status}</td>
            <td>{count}</td>
          </tr>
        ))}
      </Table>

      <Table title="Campaigns" heads={['name', 'status', 'recipients', 'with steps to come']}>
        {campaigns.map(({ id, name, status, recipients, open }) => (
          <tr key={id}>
            <td>{name}</td>
            <td>{status}</td>
            <td>{recipients}</td>
            <td>{open}</td>
          </tr>
        ))}
      </Table>

      <Table title="SMS drips" heads={['name', 'phones', 'with texts to come']}>
        {drips.map(({ id, name, phones, open }) => (
          <tr key={id}>
            <td>{name}</td>
            <td>{phones}</td>
            <td>{open}</td>
          </tr>
        ))}
      </Table>

      <Table title="Dead letters" heads={['type', 'error', 'retries', '']}>
        {failed.map(({ id, type, error, retryCount }) => (
          <tr key={id}>
            <td>{type}</td>
            <td>{error}</td>
            <td>{retryCount}</td>
            <td>
              <form action={redrive}>
                <input type="hidden" name="id" value={id} />
                <button type="submit">Try again</button>
              </form>
            </td>
          </tr>
        ))}
      </Table>

      <Table title="Last deliveries" heads={['kind', 'to', 'at']}>
        {deliveries.map(({ message_id, kind, recipient, delivered_at }) => (
          <tr key={message_id}>
            <td>{kind}</td>
            <td>{recipient}</td>
            <td>{delivered_at.toISOString().slice(11, 19)}</td>
          </tr>
        ))}
      </Table>
    </main>
  )
}

function Table({ title, heads, children }: { title: string; heads: string[]; children: ReactNode[] }) {
  return (
    <section>
      <h2>{title}</h2>
      {children.length === 0 ? (
        <p className="none">none</p>
      ) : (
        <table>
          <thead>
            <tr>
              {heads.map((head) => (
                <th key={head}>{head}</th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      )}
    </section>
  )
}
