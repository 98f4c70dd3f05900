// A scheduler that lives until a signal; says what it ran.
import { Scheduler } from '@leadmap/symphony'

const say = (value) => console.log(JSON.stringify(value))
const scheduler = new Scheduler({ pollInterval: '1h' })
scheduler.on('ran', ({ messages }) => say(messages.map(({ schedule }) => schedule)))
const ended = scheduler.run()
say('ready')
await ended
say('stopped')
