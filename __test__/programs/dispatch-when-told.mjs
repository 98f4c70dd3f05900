// Dispatches one message for each line that it is told, to TEST_TRANSPORT if that is set, and
// says that it is stored, or the code of the refusal.
import { createInterface } from 'node:readline'
import { dispatch } from '@leadmap/symphony'

const transport = process.env.TEST_TRANSPORT

for await (const line of createInterface(process.stdin)) {
  const { status, code } = await dispatch({ type: 'Told', payload: { line } }, { transport }).catch((error) => error)
  console.log(JSON.stringify(status ?? code))
}
