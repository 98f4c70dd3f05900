// Dispatches ten messages of NUMBERS numbers that are short in JSON and long in the database and tells the codes of those
// that were refused; then handles the others and tells how much memory it has had at most, in bytes.
import { consumeBatch, dispatch, registerHandler } from '@leadmap/symphony'

let handled = 0
registerHandler('Numbers', () => {
  handled += 1
})

const numbers = Array.from({ length: Number(process.env.NUMBERS) }, () => 1e308)
const codes = []
for (let n = 0; n < 10; n++) {
  await dispatch({ type: 'Numbers', payload: { numbers } }).catch((error) => codes.push(error.code))
}
console.log(JSON.stringify(codes))
await consumeBatch({ batchSize: 10 })
console.log(JSON.stringify({ handled, memory: process.resourceUsage().maxRSS * 1024 }))
