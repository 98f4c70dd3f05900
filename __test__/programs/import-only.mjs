// Imports every entry of the package and tells what that changed in the process.
// Looks at standard error as soon as it is loaded, by anything.
import 'node:assert'
import { setImmediate } from 'node:timers/promises'

const look = async () => ({
  handles: process._getActiveHandles().length,
  resources: process.getActiveResourcesInfo().sort(),
  signals: process.listenerCount('SIGTERM') + process.listenerCount('SIGINT') + process.listenerCount('exit'),
  addons: process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node')),
  environment: { ...process.env },
})

await setImmediate()
const before = await look()
for (const entry of ['', '/admin', '/config', '/http', '/next', '/utils', '/testing'])
  await import(`@leadmap/symphony${entry}`)
await setImmediate()
const after = await look()

const { getConfig } = await import('@leadmap/symphony')
let refusal
try {
  getConfig()
} catch ({ name, code, message }) {
  refusal = { name, code, message }
}
console.log(JSON.stringify({ before, after, refusal }))
