/** An operation at the command line: shown first, agreed to, then done with its progress, and stopped by Ctrl-C. */
import type { AuditEntry, OperationPreview, StartOptions } from '../admin.js'
import { actor } from './actor.js'
import { type ConsentOptions, mayGoOn } from './consent.js'
import { EXIT } from './exit.js'
import { several, shortened } from './format.js'
import type { Output } from './output.js'
import { given } from './selection.js'
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
}

/** Acts on all that match, if the person agrees; the exit code. */
export async function operate(
  { library, isProduction }: Session,
  asked: Pick<StartOptions, 'action' | 'filter'>,
  verbs: Verbs,
  options: OperatingOptions,
  out: Output,
): Promise<number> {
  const preview = await library.previewOperation(asked as StartOptions)
  const { matched, capped, samples, before } = preview
  const found = `${several(matched, 'dead letter')}${capped ? ' or more' : ''}`
  if (matched === 0 && !capped) {
    if (out.json !== undefined) out.data({ matched, done: 0, dryRun: options.dryRun === true })
    out.say('no dead letter matches')
    return EXIT.done
  }
  const plan = { what: `${verbs.plan} ${found}`, samples: samples.map(shown), word: String(matched), isProduction }
  if (!(await mayGoOn(plan, options, out))) {
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
    return told(entry, verbs, out)
  } finally {
    progress.end()
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}

function told({ id, done, skipped, failed, error, ended }: AuditEntry, verbs: Verbs, out: Output): number {
  const more = [...(skipped > 0 ? [`${skipped} were gone`] : []), ...(failed > 0 ? [`${failed} failed`] : [])]
  const what = [`${several(done, 'dead letter')} ${verbs.done}`, ...more].join(' · ')
  if (failed > 0) out.complain(`the database refused ${several(failed, 'dead letter')}: ${error ?? ''}`)
  if (ended === null) {
    out.say(`stopped: ${what}; to go on: --resume ${id}`)
    return EXIT.failed
  }
  out.done(`${what}  ${out.shade.dim(`audit ${id}`)}`)
  return failed > 0 ? EXIT.failed : EXIT.done
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
