// Dispatches what its standard input says, one `{ payload, options }` a line, and answers with the result and with what
// time it believes it is; or with why it was refused, and after how many milliseconds.
import { createInterface } from 'node:readline'
import { dispatch } from '@leadmap/symphony'

const say = (value) => console.log(JSON.stringify(value))
say('ready')
for await (const line of createInterface(process.stdin)) {
  const { payload, options } = JSON.parse(line)
  const start = performance.now()
  await dispatch({ type: 'Work', payload }, options).then(
    ({ availableAt }) => say({ availableAt, now: Date.now() }),
    ({ name, code, message }) => say({ refused: { name, code, message }, ms: Math.round(performance.now() - start) }),
  )
}
