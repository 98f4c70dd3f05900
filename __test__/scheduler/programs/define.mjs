// Waits for a line, then defines the schedules that it says, and answers with what there is.
import { createInterface } from 'node:readline'
import { defineSchedules } from '@leadmap/symphony'
import { listSchedules } from '@leadmap/symphony/admin'

const say = (value) => console.log(JSON.stringify(value))
await listSchedules()
say('ready')
for await (const line of createInterface(process.stdin)) {
  const { schedules, removed } = await defineSchedules(JSON.parse(line))
  say({ names: schedules.map(({ name }) => name), removed })
  process.exit(0)
}
