/** An operation at the command line: shown first, agreed to, then done with its progress, and stopped by Ctrl-C. */
import type { AuditEntry, OperationPreview, StartOptions } from '../admin.js'
import { given } from '../base/given.js'
import { actor } from './actor.js'
import { type ConsentOptions, mayGoOn } from './consent.js'
import { EXIT } from './exit.js'
import { several, shortened } from './format.js'
import type { Output } from './output.js'
import type { Library, Session } from './session.js'

/** The options of commands that act on all that match. */
export interface OperatingOptions extends ConsentOptions {
  reason?: string
  rate?: number
}

/** What is done: in the plan, and when it is over. */
export interface Verbs {
  /** As `delete`. */
  plan: string
  /** As `deleted`. */
  done: string
  /** What it is done to, as `dead letter`. */
  noun: string
}

/** Acts on all that match, if the person agrees; the exit code. */
export async function operate(
  { library, isProduction }: Session,
  asked: StartOptions,
  verbs: Verbs,
  options: OperatingOptions,
  out: Output,
): Promise<number> {
  const preview = await library.previewOperation(asked)
  const { matched, capped, samples, before } = preview
  const found = `${several(matched, verbs.noun)}${capped ? ' or more' : ''}`
  if (matched === 0 && !capped) {
    if (out.json !== undefined) out.data({ matched, done: 0, dryRun: options.dryRun === true })
    out.say(`no ${verbs.noun} matches`)
    return EXIT.done
  }
  const plan = { what: phrase(verbs, found), samples: samples.map(shown), word: String(matched), isProduction }
  // What is named one by one was meant.
  const yes = options.yes ?? asked.ids !== undefined
  if (!(await mayGoOn(plan, { ...options, yes }, out))) {
    if (out.json !== undefined) out.data({ matched, capped, done: 0, dryRun: true })
    return EXIT.done
  }
  const start = { ...asked, before, matched, actor: actor(), ...given({ reason: options.reason }) } as StartOptions
  return drive(library, start, verbs, options, out, preview)
}

/** Goes on with an operation that was stopped; the exit code. */
export function goOn(
  { library }: Session,
  id: string,
  verbs: Verbs,
  options: OperatingOptions,
  out: Output,
): Promise<number> {
  return drive(library, id, verbs, options, out)
}

async function drive(
  library: Library,
  which: StartOptions | string,
  verbs: Verbs,
  options: OperatingOptions,
  out: Output,
  preview?: OperationPreview,
): Promise<number> {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  const progress = new Progress(out, preview?.capped ? undefined : preview?.matched)
  try {
    const entry = await library.runOperation(which, {
      signal: controller.signal,
      onProgress: (operation) => progress.show(operation),
      ...given({ rate: options.rate }),
    })
    progress.end()
    if (out.json !== undefined) out.data(entry)
    const isNamed = typeof which !== 'string' && which.ids !== undefined
    return told(entry, isNamed, verbs, out)
  } finally {
    progress.end()
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function told(
  { id, done, skipped, failed, error, ended }: AuditEntry,
  isNamed: boolean,
  { done: verb, noun }: Verbs,
  out: Output,
): number {
  const more = [
    ...(skipped > 0 ? [`${skipped} ${skipped === 1 ? 'was' : 'were'} gone`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ]
  const what = [`${several(done, noun)} ${verb}`, ...more].join(' · ')
  if (failed > 0) out.complain(`the database refused ${several(failed, noun)}: ${error ?? ''}`)
  if (ended === null) {
    out.say(`stopped: ${what}; to go on: --resume ${id}`)
    return EXIT.failed
  }
  out.done(`${what}  ${out.shade.dim(`audit ${id}`)}`)
  // Who names messages wants to know that one of them stays as it is.
  return failed > 0 || (isNamed && skipped > 0) ? EXIT.failed : EXIT.done
}

/** `make due at once` 3 messages is `make 3 messages due at once`. */
function phrase({ plan }: Verbs, found: string): string {
  const [verb = '', ...rest] = plan.startsWith('make ') ? plan.split(' ') : [plan]
  return [verb, found, ...rest].join(' ')
}

function shown({ id, type, error, at }: OperationPreview['samples'][number]): string {
  return `${id}  ${type}  ${at.toISOString()}  ${shortened(error ?? '', 60)}`
}

/** How many cells a bar has. */
const WIDTH = 24

/** A bar on a terminal; elsewhere nothing. */
class Progress {
  readonly #total: number | undefined
  readonly #isShown: boolean
  readonly #began = Date.now()
  #isOpen = false

  constructor(out: Output, total: number | undefined) {
    this.#total = total
    this.#isShown = process.stderr.isTTY === true && out.json === undefined
  }

  show({ done, skipped, failed, matched }: AuditEntry): void {
    if (!this.#isShown) return
    const total = this.#total ?? matched ?? undefined
    const count = done + skipped + failed
    const share = total === undefined || total === 0 ? 0 : Math.min(1, count / total)
    const cells = Math.round(share * WIDTH)
    const rate = Math.round((count / Math.max(1, Date.now() - this.#began)) * 1_000)
    const bar = total === undefined ? '' : `${'█'.repeat(cells)}${'░'.repeat(WIDTH - cells)}  `
    const of = total === undefined ? '' : `/${total.toLocaleString('en-US')}`
    process.stderr.write(
      `\r\u001b[K${bar}${count.toLocaleString('en-US')}${of}  ${rate}/s  Ctrl-C stops after this step`,
    )
    this.#isOpen = true
  }

  end(): void {
    if (this.#isOpen) process.stderr.write('\r\u001b[K')
    this.#isOpen = false
  }
}
