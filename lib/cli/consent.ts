/** What stands between a command and harm: dry runs, questions, and a word to type in production. */
import { EXIT, Exit } from './exit.js'
import { canAsk, type Output } from './output.js'

/** The options of commands that ask. */
export interface ConsentOptions {
  yes?: boolean
  dryRun?: boolean
}

/** What is about to happen. */
export interface Plan {
  /** As `delete 3 dead letters`. */
  what: string
  /** Some of what it happens to. */
  samples?: readonly string[]
  /** What is typed in production, such as the number of things. */
  word: string
  isProduction: boolean
}

/** How many samples are shown. */
const SAMPLES = 5

/**
 * Whether to go on: not in a dry run, which says so.
 *
 * @throws Exit if the person says no, or nobody is there to say yes.
 */
export async function mayGoOn(plan: Plan, { yes, dryRun }: ConsentOptions, out: Output): Promise<boolean> {
  const { what, samples = [], word, isProduction } = plan
  const more = samples.length > SAMPLES ? [`… ${samples.length - SAMPLES} more`] : []
  if (!yes || dryRun) for (const sample of [...samples.slice(0, SAMPLES), ...more]) out.say(`  ${sample}`)
  if (dryRun) {
    out.say(`would ${what}; nothing was done`)
    return false
  }
  if (yes) return true
  if (!canAsk()) throw new Exit(EXIT.refused, `nobody is here to agree to ${what}: pass --yes`)
  const { agrees, types } = await askingModule()
  const isAgreed = isProduction
    ? await types(word, `This is production. Type ${word} to ${what}`)
    : await agrees(`Really ${what}?`)
  if (!isAgreed) throw new Exit(EXIT.failed, 'nothing was done')
  return true
}

/** Its library wants a later Node than the package. */
async function askingModule(): Promise<typeof import('./questions.js')> {
  try {
    return await import('./questions.js')
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new Exit(EXIT.refused, 'questions need Node.js 20.12 or later: pass --yes')
  }
}
