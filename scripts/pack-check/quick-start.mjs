// The quick start as an ES module, run in an empty project that installed the packed package.
import { close, consumeBatch, dispatch, migrate, registerHandler } from '@leadmap/symphony'
import { defineConfig } from '@leadmap/symphony/config'

await migrate()
registerHandler('EmailMessage', async (message) => {
  console.log(`to ${message.payload.to}`)
})
const { status } = await dispatch({ type: 'EmailMessage', payload: { to: 'esm@example.com' } })
const { succeeded } = await consumeBatch()
await close()
console.log(`${status}, ${succeeded} handled, ${typeof defineConfig}`)
