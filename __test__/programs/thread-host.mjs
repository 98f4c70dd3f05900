// Runs a Symphony worker in a worker thread, and ends the thread in the middle of its work when it is told to. The main
// thread uses the package too, so that all that is the process's own lives on. URL is the main thread's, THREAD_URL the
// worker thread's.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker as Thread } from 'node:worker_threads'
import { dispatch, registerHandler, setConfig, Worker } from '@leadmap/symphony'

setConfig({ database: { url: isMainThread ? process.env.URL : process.env.THREAD_URL } })

if (isMainThread) {
  const input = createInterface(process.stdin)
  await dispatch({ type: 'Threaded', payload: {} })
  const thread = new Thread(fileURLToPath(import.meta.url))
  thread.on('message', (message) => console.log(JSON.stringify(message)))
  await once(input, 'line')
  console.log(JSON.stringify({ terminated: await thread.terminate() }))
  await once(input, 'line')
  await dispatch({ type: 'Threaded', payload: {} })
  console.log(JSON.stringify('still here'))
  input.close()
  process.stdin.destroy()
} else {
  registerHandler('Threaded', () => {
    parentPort.postMessage('handling')
    return new Promise(() => {})
  })
  await new Worker({ pollInterval: 50 }).run()
}
