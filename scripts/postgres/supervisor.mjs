/**
 * Owns one server on behalf of its parent.
 *
 * The parent speaks over the process channel. When the channel closes, the parent asked for the end or is dead, even
 * by SIGKILL: either way the server stops and its folder goes.
 */
import { createServer } from './server.mjs'

const server = createServer({ inMemory: process.argv.includes('--in-memory') })

const commands = {
  start: ({ settings }) => server.start(settings),
  restart: () => server.restart(),
  kill: ({ mode }) => server.kill(mode),
}

process.on('message', async (/** @type {any} */ message) => {
  try {
    answer((await commands[message.do](message)) ?? {})
  } catch (error) {
    answer({ error: error.message })
  }
})

for (const event of ['disconnect', 'SIGINT', 'SIGTERM', 'SIGHUP']) process.once(event, end)

function answer(message) {
  // The parent may be gone by now; then `disconnect` does the rest.
  if (process.connected) process.send?.(message, () => {})
}

let ending = false
async function end() {
  if (ending) return
  ending = true
  await server.destroy()
  process.exit(0)
}
