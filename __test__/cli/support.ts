/** The command line as a child process, in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa, type Options, type ResultPromise } from 'execa'
import { afterAll, vi } from 'vitest'
import { withoutConfiguration } from '../../scripts/setup/environment.mjs'
import { at, root } from '../../scripts/setup/paths.mjs'

// Tests here start several processes one after the other, each of which takes seconds on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 })

/** The bundled program. */
export const PROGRAM = at('dist', 'cli.mjs')

/** Whether `script` can pretend to be a terminal here. */
export const hasTerminal =
  process.platform === 'linux' && !(await execa('script', ['--version'], { reject: false })).failed

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
  /** Starts a command, to talk with it. */
  start(words: readonly string[], env?: Surroundings['env']): ResultPromise<Options>
  /** The same on a terminal. */
  startOnTerminal(words: readonly string[], env?: Surroundings['env']): ResultPromise<Options>
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

  const options = (more: Surroundings['env'] = {}) =>
    ({
      cwd: folder,
      env: { ...surroundings, ...more },
      reject: false,
      stripFinalNewline: false,
      timeout: 25_000,
      forceKillAfterDelay: false,
    }) as const
  const onTerminal = (words: readonly string[]) =>
    [
      'script',
      ['-qec', `stty cols 120; ${[process.execPath, PROGRAM, ...words].map(quoted).join(' ')}`, '/dev/null'],
    ] as const
  const ended = async (
    [command, words]: readonly [string, readonly string[]],
    { env: more, input = '' }: Surroundings = {},
  ) => {
    const { stdout, stderr, exitCode } = await execa(command, words, { ...options(more), input })
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
    run: (words, more) => ended([process.execPath, [PROGRAM, ...words]], more),
    runOnTerminal: (words, more) => ended(onTerminal(words), more),
    start: (words, more) => execa(process.execPath, [PROGRAM, ...words], options(more)),
    startOnTerminal: (words, more) => execa(...onTerminal(words), options(more)),
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
