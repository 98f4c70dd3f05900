// Runs what is due, again and again without a pause, until its standard input says `stop`; with ONCE once.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { runDueSchedules, setConfig } from '@leadmap/symphony'

setConfig({ transports: { other: { type: 'postgres' } }, routing: { Both: ['supabase', 'other'] } })
const say = (value) => console.log(JSON.stringify(value))
if (process.env.ONCE) {
  say(await runDueSchedules())
} else {
  const input = createInterface(process.stdin)
  await runDueSchedules()
  say('ready')
  let stopped = false
  once(input, 'line').then(() => {
    stopped = true
  })
  const sum = { calls: 0, due: 0, dispatched: 0, failed: 0 }
  while (!stopped) {
    const { due, dispatched, failed } = await runDueSchedules()
    sum.calls += 1
    sum.due += due
    sum.dispatched += dispatched
    sum.failed += failed
  }
  say(sum)
  input.close()
  process.stdin.destroy()
}
