'use client'

import { useEffect, useRef } from 'react'
import type { Detail } from '@/lib/shown'
import { cancel, redrive } from './actions'
import { usePolled } from './polled'
import { State } from './state'
import { Submit } from './submit'

/** One message: its runs, when the next one is, and what it carries. */
export function Drawer({ id, close }: { id: string; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const { data } = usePolled<Detail | null | undefined>(`/api/live/${id}`, undefined)
  // The element itself, not what is in it: a click beside the drawer.
  const closeFromOutside = (event: React.MouseEvent) => event.target === dialog.current && dialog.current.close()

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes every dialog.
    <dialog ref={dialog} className="drawer" aria-labelledby="message" onClose={close} onClick={closeFromOutside}>
      <div>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
        <h2 id="message">{data?.to ?? 'Message'}</h2>
        {data === null && <p>It was put back as a new message, or is not kept any more.</p>}
        {data && <Message {...data} />}
      </div>
    </dialog>
  )
}

function Message(message: Detail) {
  const { id, type, queue, priority, createdAt, runs, state, letter, payload } = message
  const waits = state === 'due' || state === 'retrying' || state === 'later'
  return (
    <>
      <ol className="runs">
        <li>
          <Clock at={createdAt} /> dispatched
        </li>
        {runs.map(({ at, error }, index) => (
          <li key={at} className="failed">
            <Clock at={at} /> run {index + 1} failed
            <code>{error}</code>
          </li>
        ))}
        <li className={state}>
          {message.finishedAt && <Clock at={message.finishedAt} />} <State {...message} />
        </li>
      </ol>
      {letter && <Act name="Try again" action={redrive} id={letter} />}
      {waits && <Act name="Cancel" action={cancel} id={id} />}
      <dl className="facts">
        <Fact name="Type" value={type} />
        <Fact name="Queue" value={`${queue}, priority ${priority} of 10`} />
        <Fact name="Id" value={id} />
      </dl>
      <h3>Payload</h3>
      <pre>{JSON.stringify(payload, null, 2)}</pre>
    </>
  )
}

function Act({ name, action, id }: { name: string; action: (form: FormData) => Promise<void>; id: string }) {
  return (
    <form action={action}>
      <input type="hidden" name="id" value={id} />
      <Submit>{name}</Submit>
    </form>
  )
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

function Clock({ at }: { at: string }) {
  return <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
}
