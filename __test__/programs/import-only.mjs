// Imports every entry of the package and tells what that changed in the process.
const look = () => ({
  handles: process._getActiveHandles().length,
  resources: process.getActiveResourcesInfo().sort(),
  signals: process.listenerCount('SIGTERM') + process.listenerCount('SIGINT') + process.listenerCount('exit'),
  addons: process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node')),
  environment: { ...process.env },
})

const before = look()
for (const entry of ['', '/config', '/utils', '/testing']) await import(`@leadmap/symphony${entry}`)
const after = look()

const { getConfig } = await import('@leadmap/symphony')
let refusal
try {
  getConfig()
} catch ({ name, code, message }) {
  refusal = { name, code, message }
}
console.log(JSON.stringify({ before, after, refusal }))
