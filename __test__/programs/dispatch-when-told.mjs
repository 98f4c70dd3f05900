// Dispatches one message for each line that it is told, and says that it is stored.
import { createInterface } from 'node:readline'
import { dispatch } from '@leadmap/symphony'

for await (const line of createInterface(process.stdin)) {
  const { status } = await dispatch({ type: 'Told', payload: { line } })
  console.log(JSON.stringify(status))
}
