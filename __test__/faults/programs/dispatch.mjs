// Dispatches what its standard input says, one `{ payload, options }` a line, and answers with the result and with what
// time it believes it is.
import { createInterface } from 'node:readline'
import { dispatch } from '@leadmap/symphony'

const say = (value) => console.log(JSON.stringify(value))
say('ready')
for await (const line of createInterface(process.stdin)) {
  const { payload, options } = JSON.parse(line)
  const { availableAt } = await dispatch({ type: 'Work', payload }, options)
  say({ availableAt, now: Date.now() })
}
