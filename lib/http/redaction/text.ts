/** Texts for people, such as those of errors, with their secrets hidden. Pure. */
import { HIDDEN } from './json.js'
import type { IsSecret } from './secrets.js'

/** Shorter values are in texts by chance. */
const SHORTEST = 4

/** Hides what was hidden elsewhere, however it is quoted, and whatever a text itself calls secret. */
export function hideInText(text: string, values: readonly string[], isSecret: IsSecret): string {
  const known = [...new Set(values.filter((value) => value.length >= SHORTEST).flatMap(forms))]
  let shown = text
  for (const value of known.sort((left, right) => right.length - left.length)) shown = shown.replaceAll(value, HIDDEN)
  return shown
    .replaceAll(CREDENTIALS, `$1 ${HIDDEN}`)
    .replaceAll(URL_PASSWORD, `://$1:${HIDDEN}@`)
    .replaceAll(NAMED, (whole, before: string, name: string, value: string) => {
      const quote = /^["']/.exec(value)?.[0] ?? ''
      return isSecret(name.split('.')) ? `${before}${quote}${HIDDEN}${quote}` : whole
    })
}

/** A value as texts, JSON and addresses write it. */
function forms(value: string): string[] {
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())]
}

const CREDENTIALS = /\b(Bearer|Basic|Digest) +[\w.~+/=-]+/gi

const URL_PASSWORD = /:\/\/([^\s/:@]*):([^\s/@]+)@/g

/** `name=value`, `name: value` and `"name":"value"`. Begins where a name begins, so that no text takes long. */
const NAMED = /((?<![\w.-])([\w.-]+)["']?\s{0,3}[:=]\s{0,3})("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;&'"()[\]{}]+)/g
