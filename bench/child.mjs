/**
 * One system in a process of its own: `node child.mjs <system>`.
 *
 * One JSON command per line on stdin, one JSON answer per line on stdout, as the floor in `raw/` speaks.
 */
import { createInterface } from 'node:readline'
import { commands } from './harness/commands.mjs'

const { default: adapter } = await import(`./systems/${process.argv[2]}.mjs`)
const obey = commands(adapter)

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: name, with: parameters } = JSON.parse(line)
  let answer
  try {
    answer = { id, result: await obey[name](parameters ?? {}) }
  } catch (error) {
    answer = { id, error: error.stack ?? String(error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
process.exit(0)
