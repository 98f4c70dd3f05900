// The quick start as a CommonJS module, run in an empty project that installed the packed package.
const { close, consumeBatch, dispatch, migrate, registerHandler } = require('@leadmap/symphony')
const { defineConfig } = require('@leadmap/symphony/config')

async function main() {
  await migrate()
  registerHandler('EmailMessage', async (message) => {
    console.log(`to ${message.payload.to}`)
  })
  const { status } = await dispatch({ type: 'EmailMessage', payload: { to: 'cjs@example.com' } })
  const { succeeded } = await consumeBatch()
  await close()
  console.log(`${status}, ${succeeded} handled, ${typeof defineConfig}`)
}

main()
