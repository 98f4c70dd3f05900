/**
 * Owns one server on behalf of its parent: `node supervisor.mjs <URL of its definition> [--in-memory]`.
 *
 * The parent speaks over the process channel. When the channel closes, the parent asked for the end or is dead, even
 * by SIGKILL: either way the server stops and its folder goes.
 */
import { basename } from 'node:path'
import { createFolder } from './folder.mjs'

const [, , definition = '', ...flags] = process.argv
const { createServer } = await import(definition)
const folder = createFolder(basename(definition, '.mjs'), { inMemory: flags.includes('--in-memory') })
/** @type {import('./supervise.mjs').Server} */
const server = createServer(folder)
const commands = { ...server.commands, start: server.start }

process.on('message', async (/** @type {any} */ { command, options }) => {
  try {
    answer((await commands[command]?.(options)) ?? {})
  } catch (error) {
    answer({ error: error.message })
  }
})

for (const event of ['disconnect', 'SIGINT', 'SIGTERM', 'SIGHUP']) process.once(event, end)
// It may have gone while the definition was loading.
if (!process.connected) await end()

function answer(message) {
  // The parent may be gone by now; then `disconnect` does the rest.
  if (process.connected) process.send?.(message, () => {})
}

let ending = false
async function end() {
  if (ending) return
  ending = true
  await server.stop()
  folder.remove()
  process.exit(0)
}
