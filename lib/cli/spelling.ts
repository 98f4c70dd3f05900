/** The command line as people type it, Symfony's users included, in our spelling. Pure. */

/** Symfony's names that are not ours with colons in between. */
const NAMES: Record<string, readonly string[]> = {
  'setup-transports': ['migrate'],
  'failed:show': ['failed'],
  'debug:messenger': ['debug'],
  'debug:scheduler': ['schedules'],
  'debug:config': ['config'],
}

/** What may follow `--json=`. */
const JSON_FORMS: Record<string, string> = {
  '--json=lines': '--json-lines',
  '--ndjson': '--json-lines',
  '--json=document': '--json',
}

/** `messenger:failed:retry` is `failed retry`; `--json=lines` is an option of its own, so that `--json` takes no value. */
export function normalized(given: readonly string[]): string[] {
  const end = given.includes('--') ? given.indexOf('--') : given.length
  const words = given.map((word, index) => (index < end ? (JSON_FORMS[word] ?? word) : word))
  const isCommand = (word: string, index: number): boolean =>
    index < end && !word.startsWith('-') && !VALUED.includes(words[index - 1] ?? '')
  const place = words.findIndex(isCommand)
  const name = words[place] ?? ''
  if (!NAMED.test(name)) return words
  return [...words.slice(0, place), ...ours(name, words.slice(place + 1)), ...words.slice(place + 1)]
}

/** A command with colons, or one that has another name here. */
const NAMED = /^(messenger|failed|debug|schedules|migrate|circuits):[\w:-]+$|^setup-transports$/

/** Options that may stand before the command, with a value. */
const VALUED = ['--config', '--database-url', '--schema', '--env']

function ours(name: string, rest: readonly string[]): readonly string[] {
  const bare = name.replace(/^messenger:/, '')
  // Symfony shows one dead letter, or all of them.
  if (bare === 'failed:show' && rest.some((word) => ID.test(word))) return ['failed', 'show']
  if (bare === 'show' && !rest.some((word) => ID.test(word))) return ['list']
  return NAMES[bare] ?? bare.split(':')
}

const ID = /^[\da-f]{8}-[\da-f-]{27}$/i
