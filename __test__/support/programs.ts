import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { PROGRAM } from './emptying.js'

/** How long a program may take to say something, in milliseconds: only a hanging one is stopped by it. */
const PATIENCE = 20_000

/** A process that runs one of `__test__/programs/`, with the bundled package as users have it. */
export interface Program {
  readonly process: ChildProcessWithoutNullStreams
  /** The next line that it prints, parsed as JSON. Fails when it ends without one. */
  // biome-ignore lint/suspicious/noExplicitAny: each program says what its test expects.
  next(): Promise<any>
  /** Writes a line to its standard input. */
  tell(line: string): void
  /** How it ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>
}

/**
 * Starts a program; it is killed when the test is finished and it still runs, and the test waits until it is gone.
 * The tables are emptied only when its connections are gone too: see `emptying.ts`.
 *
 * @param within the command that runs it, where that is not its own first word: `ip netns exec` and the like.
 */
export function startProgram(
  name: string,
  environment: Record<string, string> = {},
  within: readonly string[] = [],
): Program {
  const file = fileURLToPath(new URL(`../programs/${name}`, import.meta.url))
  const [command = process.execPath, ...parameters] = [...within, process.execPath, file]
  const child = spawn(command, parameters, { env: { ...process.env, ...named(environment) } })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, errors }))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    process: child,
    next: () => nextLine(name, lines, () => errors),
    tell: (line) => child.stdin.write(`${line}\n`),
    ended,
  }
}

/** Gives the connections of a program their name, where its URL says nothing else. */
function named(environment: Record<string, string>): Record<string, string> {
  const { SYMPHONY_DATABASE_URL: text = '' } = environment
  if (!URL.canParse(text)) return environment
  const url = new URL(text)
  if (!url.searchParams.has('application_name')) url.searchParams.set('application_name', PROGRAM)
  return { ...environment, SYMPHONY_DATABASE_URL: url.href }
}

/** Runs a program to its end and returns the one line that it prints. */
// biome-ignore lint/suspicious/noExplicitAny: each program says what its test expects.
export async function runProgram(name: string, environment: Record<string, string> = {}): Promise<any> {
  const program = startProgram(name, environment)
  const said = await program.next()
  const { code, signal, errors } = await program.ended
  if (code !== 0) throw new Error(`${name} ended with ${signal ?? code}: ${errors}`)
  return said
}

async function nextLine(name: string, lines: AsyncIterator<string>, errors: () => string): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} says nothing: ${errors()}`)), PATIENCE)
  })
  try {
    const { value, done } = await Promise.race([lines.next(), late])
    if (done) throw new Error(`${name} ended without a word: ${errors()}`)
    return JSON.parse(value)
  } finally {
    clearTimeout(timer)
  }
}
