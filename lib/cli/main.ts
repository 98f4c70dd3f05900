#!/usr/bin/env node
/** `symphony`: the program that the package installs. */
import { CommanderError } from 'commander'
import { EXIT, exitCodeOf } from './exit.js'
import { flushed, Output } from './output.js'
import { buildProgram } from './program.js'
import { normalized } from './spelling.js'

const words = normalized(process.argv.slice(2))

// The reader of a pipe has seen enough: `symphony list | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT.failed))

try {
  await buildProgram().parseAsync(words, { from: 'user' })
} catch (error) {
  process.exitCode = error instanceof CommanderError ? usage(error) : failure(error)
}
await flushed()
// Not left to the event loop: handlers may have opened what keeps it busy.
process.exit()

/** Help and version were asked for; everything else is wrong usage, which commander has explained. */
function usage(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT.done : EXIT.usage
}

function failure(error: unknown): number {
  const out = new Output({ color: !words.includes('--no-color') })
  const { message = String(error), code, stack } = Object(error) as { message?: string; code?: string; stack?: string }
  out.complain(code === undefined ? message : `${message} ${out.shade.dim(code)}`)
  if ((words.includes('-v') || words.includes('--verbose')) && stack !== undefined) out.complain(stack)
  return exitCodeOf(error)
}
