import { connection } from 'next/server'
import { overview } from '@/lib/overview'
import '@/lib/symphony'
import { sendEmail, sendThousand, startCampaign, startDrip } from './actions'
import { Live } from './live'
import { Submit } from './submit'

/** Dispatches, and shows the queue at work. A real application puts this behind its log-in. */
export default async function Page() {
  await connection()
  return (
    <main>
      <h1>Symphony at work</h1>
      <p className="lead">
        A message queue for Next.js on Postgres. This page is an application that uses it: what you send becomes
        messages, a cron route handles them, and everything below is read from the queue while it works.
      </p>
      <Live first={await overview('newest')} send={<Send />} forms={<Forms />} />
      <section className="panel" aria-labelledby="how">
        <h2 id="how">How it works</h2>
        <ol className="how">
          <li>
            <code>dispatchBatch()</code> in <code>lib/email-queue.ts</code> stores messages in Postgres, in one
            statement.
          </li>
          <li>
            <code>registerHandler()</code> in <code>handlers/email.ts</code> does the work, and throws when it fails.
          </li>
          <li>
            <code>createWorkerRoute()</code> in <code>app/api/cron/symphony-worker/route.ts</code> runs what is due.
          </li>
        </ol>
      </section>
    </main>
  )
}

function Send() {
  return (
    <div className="send">
      <form action={sendThousand} className="first">
        <Submit>Send 1,000 e-mails</Submit>
      </form>
      <form action={sendEmail}>
        <input name="to" type="hidden" value="busy@example.com" />
        <input name="subject" type="hidden" value="Hello" />
        <Submit>Send one to busy@…</Submit>
      </form>
    </div>
  )
}

function Forms() {
  return (
    <section className="panel forms" aria-label="Send something else">
      <form action={sendEmail}>
        <h2>One e-mail</h2>
        <label>
          To
          <input name="to" type="email" defaultValue="ada@example.com" list="addresses" required />
        </label>
        <datalist id="addresses">
          <option value="ada@example.com">accepted</option>
          <option value="busy@example.com">refused twice, then accepted</option>
          <option value="nobody@example.com">refused for good</option>
        </datalist>
        <label>
          Subject
          <input name="subject" defaultValue="Hello" required />
        </label>
        <Submit>Send the e-mail</Submit>
        <p className="hint">busy@… is refused twice and then accepted; nobody@… is refused for good.</p>
      </form>
      <form action={startCampaign}>
        <h2>A campaign of two e-mails</h2>
        <label>
          Name
          <input name="name" defaultValue="Autumn" required />
        </label>
        <label>
          Recipients
          <input name="count" type="number" min="1" max="1000" defaultValue="20" required />
        </label>
        <Submit>Start the campaign</Submit>
        <p className="hint">The second one goes out 10 seconds after the first.</p>
      </form>
      <form action={startDrip}>
        <h2>A drip of two SMS</h2>
        <label>
          Name
          <input name="name" defaultValue="Reminder" required />
        </label>
        <label>
          Phones
          <input name="count" type="number" min="1" max="1000" defaultValue="5" required />
        </label>
        <Submit>Start the drip</Submit>
        <p className="hint">A cron route looks for texts that are due, as it did before there was a queue.</p>
      </form>
    </section>
  )
}
