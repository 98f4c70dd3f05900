// Dispatches one idempotency key as often as DISPATCHES says, all at once; tells when it is ready and waits for a word.
import { once } from 'node:events'
import { dispatch } from '@leadmap/symphony'
import { migrationStatus } from '@leadmap/symphony/admin'

await migrationStatus()
console.log(JSON.stringify('ready'))
await once(process.stdin, 'data')
process.stdin.destroy()

const one = () => dispatch({ type: 'Invoice', payload: { pid: process.pid } }, { idempotencyKey: process.env.KEY })
const results = await Promise.all(Array.from({ length: Number(process.env.DISPATCHES) }, one))
console.log(JSON.stringify(results.map(({ messageId, status }) => ({ messageId, status }))))
