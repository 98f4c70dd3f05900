/**
 * A Postgres for tests, on its own: prints its URL and runs until Ctrl-C.
 *
 * `--until-stdin-closes` ends it with the process that started it, however that one went: `cargo test` does so.
 */
import { once } from 'node:events'
import { startTestPostgres } from './servers/postgres.mjs'

const { url, stop } = await startTestPostgres()
console.log(url)
await (process.argv.includes('--until-stdin-closes') ? closed(process.stdin) : signalled())
await stop()
process.exit(0)

/** @param {NodeJS.ReadStream} stream */
async function closed(stream) {
  stream.resume()
  await once(stream, 'close')
}

async function signalled() {
  const staying = setInterval(() => {}, 60_000)
  await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)))
  clearInterval(staying)
}
