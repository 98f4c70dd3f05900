/** What a command writes: data on stdout, talk on stderr, colours only where a terminal shows them. */
import picocolors from 'picocolors'

/** The functions that colour text. */
export type Paint = ReturnType<typeof picocolors.createColors>

/** How the output of a command looks. */
export interface OutputOptions {
  /** One JSON document, or one line of JSON per thing. */
  json?: boolean
  jsonLines?: boolean
  color?: boolean
  quiet?: boolean
  verbose?: boolean
}

/** The two streams of a command. */
export class Output {
  /** Colours of stdout. */
  readonly paint: Paint
  /** Colours of stderr. */
  readonly shade: Paint
  readonly verbose: boolean
  readonly json: 'document' | 'lines' | undefined
  readonly #quiet: boolean

  constructor({ json, jsonLines, color, quiet = false, verbose = false }: OutputOptions = {}) {
    this.json = jsonLines ? 'lines' : json ? 'document' : undefined
    this.paint = picocolors.createColors(hasColors(process.stdout, color))
    this.shade = picocolors.createColors(hasColors(process.stderr, color))
    this.#quiet = quiet
    this.verbose = verbose
  }

  /** Writes a line of data to stdout. */
  print(line = ''): void {
    process.stdout.write(`${line}\n`)
  }

  /** Writes JSON to stdout: indented as the one document, or as one line of a stream. */
  data(value: unknown): void {
    this.print(JSON.stringify(value, null, this.json === 'lines' ? undefined : 2))
  }

  /** Writes a line of talk to stderr, unless it shall be quiet. */
  say(line = ''): void {
    if (!this.#quiet) process.stderr.write(`${line}\n`)
  }

  /** Writes what went wrong to stderr, quiet or not. */
  complain(problem: string): void {
    process.stderr.write(`${this.shade.red('✗')} ${problem}\n`)
  }

  /** Says that something was done. */
  done(what: string): void {
    this.say(`${this.shade.green('✓')} ${what}`)
  }
}

/** `--no-color` and NO_COLOR come first, then FORCE_COLOR; else a terminal that is not dumb has them. */
function hasColors(stream: NodeJS.WriteStream, color = true): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (!color || NO_COLOR) return false
  if (FORCE_COLOR) return FORCE_COLOR !== '0'
  return stream.isTTY === true && TERM !== 'dumb'
}

/** Whether somebody is there to be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI
}

/** Resolves once everything written has left the process. */
export async function flushed(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.writableEnded) await new Promise((resolve) => stream.write('', resolve))
  }
}
