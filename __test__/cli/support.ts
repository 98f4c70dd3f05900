/** The command line as a child process, in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll } from 'vitest'
import { withoutConfiguration } from '../../scripts/setup/environment.mjs'
import { at, root } from '../../scripts/setup/paths.mjs'

/** The bundled program. */
export const PROGRAM = at('dist', 'cli.mjs')

/** How a command ended. */
export interface Ended {
  stdout: string
  stderr: string
  code: number | undefined
}

/** How it is run. */
export interface Surroundings {
  env?: Record<string, string | undefined>
  input?: string
}

/** A project in which commands run. */
export interface Project {
  readonly folder: string
  /** What each command of it has in its environment. */
  readonly env: Record<string, string | undefined>
  /** Runs a command without a terminal. */
  run(words: readonly string[], surroundings?: Surroundings): Promise<Ended>
  /** Runs a command on a terminal that `script` pretends to be; what it shows is all in `stdout`. */
  runOnTerminal(words: readonly string[], surroundings?: Surroundings): Promise<Ended>
  /** Writes a file. */
  write(name: string, text: string): void
}

/** Makes a project whose package.json is called `acme`; it is removed after the tests. */
export function createProject(files: Record<string, string> = {}, env: Record<string, string> = {}): Project {
  const folder = mkdtempSync(join(tmpdir(), 'symphony-cli-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'node_modules', '@leadmap'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules', '@leadmap', 'symphony'), 'junction')
  const surroundings = { ...withoutConfiguration(), NODE_ENV: undefined, CI: undefined, FORCE_COLOR: undefined, ...env }

  const start = async (command: string, words: readonly string[], { env: more, input = '' }: Surroundings = {}) => {
    const options = { cwd: folder, env: { ...surroundings, ...more }, input, reject: false, stripFinalNewline: false }
    const { stdout, stderr, exitCode } = await execa(command, words, { ...options, timeout: 25_000 })
    return { stdout, stderr, code: exitCode }
  }
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  for (const [name, text] of Object.entries({ 'package.json': '{ "name": "acme" }', ...files })) write(name, text)
  return {
    folder,
    env: surroundings,
    write,
    run: (words, more) => start(process.execPath, [PROGRAM, ...words], more),
    runOnTerminal: (words, more) =>
      start('script', ['-qec', [process.execPath, PROGRAM, ...words].map(quoted).join(' '), '/dev/null'], more),
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
