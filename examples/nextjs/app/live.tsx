'use client'

import { useEffect, useReducer, useState } from 'react'
import type { Overview } from '@/lib/overview'
import { open, type Run, shareOf, startRun, withSample } from '@/lib/run'
import type { Selection } from '@/lib/selection'
import { Chart, seconds } from './chart'
import { Drawer } from './drawer'
import { Messages } from './messages'
import { usePolled } from './polled'
import { Tables } from './tables'

/** Everything on the page that changes by itself. */
export function Live({ first, send, forms }: { first: Overview; send: React.ReactNode; forms: React.ReactNode }) {
  const [selection, select] = useState<Selection>('newest')
  const [shown, show] = useState<string>()
  const { data, answers } = usePolled(`/api/live?show=${selection}`, first)
  const [run, look] = useReducer(withSample, first.counts, startRun)
  useEffect(() => look(data.counts), [data])

  return (
    <>
      <section className="panel" aria-labelledby="run">
        <header>
          <h2 id="run">The queue now</h2>
          <p role="status">{answers ? summary(run, data.flags) : 'The server does not answer.'}</p>
          {send}
        </header>
        <p className="hint">
          Of a thousand, 40 are refused twice before they are accepted, as busy@… is, and 20 become dead letters. Choose
          a message below to see its runs.
        </p>
        <Chart run={run} />
      </section>
      <Messages rows={data.rows} selection={selection} select={select} show={show} />
      {forms}
      <Tables {...data} />
      {shown && <Drawer key={shown} id={shown} close={() => show(undefined)} />}
    </>
  )
}

/** Changes seldom: it is read aloud. */
function summary(run: Run, flags: Overview['flags']): string {
  if (!flags.enabled) return 'The flags are off: cron routes send everything themselves, as before.'
  const { done, failed } = shareOf(run, run.last)
  if (open(run.last) > 0) return 'The queue is at work.'
  if (done + failed === 0) return 'The queue is empty.'
  return `${done.toLocaleString('en')} done, ${failed.toLocaleString('en')} failed, in ${seconds(run.last.at - run.before.at)}.`
}
