// Worker threads that dispatch and call `close()`, again and again, while the main thread dispatches and drains on the
// same database. The main thread says what came of its work; it goes on until the last thread has gone, and a little more.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker as Thread } from 'node:worker_threads'
import { close, consumeBatch, dispatch, registerHandler } from '@leadmap/symphony'

const THREADS = 3
const ROUNDS = 5
const message = { type: 'Any', payload: {} }

if (isMainThread) await main()
else await dispatchAndClose()

async function main() {
  registerHandler('Any', () => {})
  await dispatch(message)
  const threads = Array.from({ length: THREADS }, () => new Thread(fileURLToPath(import.meta.url)))
  let running = threads.length
  const gone = threads.map((thread) => once(thread, 'exit').then(() => running--))
  const errors = []
  let dispatched = 1
  let handled = 0
  for (let more = 5; more > 0; more -= running === 0 ? 1 : 0) {
    try {
      await dispatch(message)
      dispatched++
      handled += (await consumeBatch()).succeeded
    } catch (error) {
      errors.push(`${error.code}: ${error.message}`)
      if (running === 0) more = 0
    }
  }
  await Promise.all(gone)
  console.log(JSON.stringify({ errors, expected: dispatched + THREADS * ROUNDS, handled }))
}

async function dispatchAndClose() {
  for (let round = 0; round < ROUNDS; round++) {
    await dispatch(message)
    await close()
  }
}
