/** What a caller may see: messages, dead letters and schedules without their secrets. */
import { isPlainObject } from '../../base/plain-object.js'
import { native } from '../../core/native.js'
import { callNative } from '../../core/native-error.js'
import type { MessageContents } from '../../operate/contents.js'
import type { Grant } from '../authorization/permissions.js'
import { exactly } from '../responses/answer.js'
import { RequestProblem } from '../responses/problem.js'
import { hideInJson } from './json.js'
import { type IsSecret, secretPlaces, USUAL_SECRETS } from './secrets.js'
import { hideInText } from './text.js'

/** How many characters of a payload a list shows. */
const PREVIEW = 200

/** What must be hidden of what is answered: all that is secret, or nothing. */
export class Redaction {
  readonly #isSecret: IsSecret | undefined

  constructor(isSecret: IsSecret | undefined) {
    this.#isSecret = isSecret
  }

  /** Whether anything is hidden. A list has to know all of a payload then, to hide what an error quotes of it. */
  get hides(): boolean {
    return this.#isSecret !== undefined
  }

  /** All of a message or a dead letter, with every digit of what is shown. */
  whole<Whole extends MessageContents & Parts>(whole: Whole): object {
    return exactly(this.#shown(whole).whole)
  }

  /** The same as an outline, for a list. */
  outline<Whole extends MessageContents & Parts>(whole: Whole): object {
    const {
      payload: _,
      payloadText,
      errorHistory: __,
      errorStack: ___,
      ...rest
    } = this.#shown(whole).whole as Whole & {
      errorStack?: unknown
    }
    const payloadPreview = [...payloadText.slice(0, 2 * PREVIEW)].slice(0, PREVIEW).join('').toWellFormed()
    return { ...rest, payloadPreview, payloadBytes: Buffer.byteLength(whole.payloadText) }
  }

  /** A schedule, whose payload is an object. */
  schedule<Whole extends Parts & { payload: unknown }>(schedule: Whole): object {
    if (this.#isSecret === undefined) return schedule
    const payloadText = JSON.stringify(schedule.payload ?? {})
    const { payloadText: _, ...shown } = this.#shown({ ...schedule, payloadText }).whole
    return shown
  }

  /** Something that tells of a message without holding it, such as a sample of an operation. */
  about<About extends object>(about: About, whole: (MessageContents & Parts) | null): About {
    if (this.#isSecret === undefined) return about
    return this.#hideInAll(about, whole === null ? [] : this.#shown(whole).values) as About
  }

  /** Anything else: texts in it are shown without what they themselves call secret. */
  anything<Any>(value: Any): Any {
    return this.#isSecret === undefined ? value : (this.#hideInAll(value, []) as Any)
  }

  /** Whether a value at a path is hidden. */
  isHidden(path: readonly string[]): boolean {
    return this.#isSecret?.(path) ?? false
  }

  #shown<Whole extends { payloadText: string } & Parts>(whole: Whole): { whole: Whole; values: string[] } {
    const isSecret = this.#isSecret
    if (isSecret === undefined) return { whole, values: [] }
    const parts = ['headers', 'metadata'] as const
    const payload = hideInJson(whole.payloadText, isSecret)
    const others = parts.map((name) => hideInJson(JSON.stringify(whole[name] ?? {}), isSecret))
    const values = [payload, ...others].flatMap((it) => it.values)
    const rest = Object.entries(whole).map(([name, value]) => [
      name,
      NAMES.includes(name) ? value : this.#hideInAll(value, values),
    ])
    const shown = {
      ...(Object.fromEntries(rest) as Whole),
      payload: JSON.parse(payload.text),
      payloadText: payload.text,
      ...Object.fromEntries(parts.map((name, index) => [name, JSON.parse(others[index]?.text ?? '{}')])),
    }
    return { whole: shown, values }
  }

  /** All texts in a value, wherever they are. */
  #hideInAll(value: unknown, values: readonly string[]): unknown {
    const isSecret = this.#isSecret ?? (() => false)
    if (typeof value === 'string') return hideInText(value, values, isSecret)
    if (Array.isArray(value)) return value.map((item) => this.#hideInAll(item, values))
    if (typeof value !== 'object' || value === null || !isPlainObject(value)) return value
    const hide = ([name, inner]: [string, unknown]): [string, unknown] => [name, this.#hideInAll(inner, values)]
    return Object.fromEntries(Object.entries(value).map(hide))
  }
}

/** What a message, a dead letter and a schedule have in common. */
interface Parts {
  headers?: unknown
  metadata?: unknown
}

/** What says which message it is, and holds nothing of it; payload, headers and metadata are seen to by themselves. */
const NAMES: readonly string[] =
  'id messageId failedMessageId type transport queue status workerId name payload payloadText headers metadata'.split(
    ' ',
  )

function probing(place: string, field: string): RequestProblem {
  const message = `${field}: ${place} is hidden from the role that asks, and so it cannot be searched`
  return new RequestProblem(403, 'SYMPHONY_FORBIDDEN', message, { field })
}

/**
 * Refuses a filter that looks for what is hidden: who may ask often enough, may read it out.
 *
 * @throws RequestProblem 403 naming the place; what is wrong with the query.
 */
export async function mustNotProbe(redaction: Redaction, filter: object, letters: boolean): Promise<void> {
  const { text, query } = filter as { text?: unknown; query?: unknown }
  if (!redaction.hides) return
  if (text !== undefined) throw probing('text', 'text')
  if (typeof query !== 'string') return
  const places = callNative(() => native().placesInQuery(query, letters))
  for (const [root = '', ...path] of JSON.parse(places) as string[][]) {
    if (root === 'text') throw probing('text', 'query')
    const isHidden = path.some((_, index) => redaction.isHidden(path.slice(0, index + 1)))
    if (isHidden) throw probing([root, ...path].join('.'), 'query')
  }
}

/**
 * What a grant hides: for viewers the usual secrets, for others nothing, unless `authorize` says otherwise.
 *
 * @throws ConfigurationError for a path that cannot be one.
 */
export function redactionOf({ role, redact }: Grant): Redaction {
  const hides = redact ?? role === 'viewer'
  if (hides === false) return new Redaction(undefined)
  return new Redaction(secretPlaces(hides === true ? USUAL_SECRETS : [...USUAL_SECRETS, ...hides]))
}
