/** Many messages in one call of the core. */
import { shown } from '../base/options.js'
import { unknown, unknownKey } from '../base/suggestions.js'
import { joinPath } from '../message/json-problem.js'
import { OPTION_NAMES } from '../message/keys.js'
import { isPromise } from '../message/schema.js'
import { invalid } from '../message/serialization.js'
import { mustBeReadable, prepare } from './prepare.js'
import type { BatchItem, BatchOptions, BatchResult, DispatchOptions, MessageInput } from './types.js'

/** The most messages in one call of the core: a few megabytes of text, and still one INSERT per transport. */
const LARGEST = 5_000
/** Characters in one call, unless one message alone has more. */
const LONGEST = 8 * 1024 * 1024
/** Characters in an atomic batch, which is one statement whatever its size. */
const LONGEST_ATOMIC = 64 * 1024 * 1024

/** A valid message, as its request, or its error. */
type Prepared = string | { error: Error }

/** What goes into one call of the core, and the messages that do not, by index. */
interface Chunk {
  requests: string
  count: number
  refused: Map<number, Error>
}

/** Sends requests in one call of the core. */
type Send = (requests: string) => Promise<BatchResult[]>

/** Dispatches all messages; see `dispatchBatch()` in `functions.ts`. */
export async function dispatchAll(
  messages: Array<MessageInput | BatchItem>,
  options: BatchOptions = {},
  send: Send,
): Promise<BatchResult[]> {
  if (!Array.isArray(messages))
    throw invalid('SYMPHONY_INVALID_PAYLOAD', 'messages', `got ${shown(messages)}, wants an array of messages`)
  mustBeReadable(options)
  refuseCommonKey(options)
  refuseStrayOption(options)
  const { atomic, ...defaults } = options
  const prepared = prepareAll(messages, Object.keys(defaults).length > 0 ? defaults : undefined)
  if (atomic === true) return dispatchAtomically(await prepared, send)
  const results: BatchResult[] = []
  for (const chunk of await prepared.then(toChunks)) results.push(...(await dispatchChunk(chunk, send)))
  return results
}

/** One key for all would store the first message and drop the others as duplicates. */
function refuseCommonKey(options: BatchOptions): void {
  if (!('idempotencyKey' in options) || options.idempotencyKey === undefined) return
  throw invalid(
    'SYMPHONY_INVALID_IDEMPOTENCY_KEY',
    'options.idempotencyKey',
    'belongs to one message: give each item its own, as { type, payload, idempotencyKey }',
  )
}

function refuseStrayOption(options: BatchOptions): void {
  const stray = unknownKey(options, BATCH_OPTIONS)
  if (stray === undefined) return
  throw invalid('SYMPHONY_UNKNOWN_OPTION', joinPath('options', stray), unknown('option', stray, BATCH_OPTIONS))
}

const BATCH_OPTIONS = [...OPTION_NAMES.filter((name) => name !== 'idempotencyKey'), 'atomic']

/** A promise per message is worth avoiding; only asynchronous schemas need one. */
async function prepareAll(
  items: Array<MessageInput | BatchItem>,
  defaults: DispatchOptions | undefined,
): Promise<Prepared[]> {
  // Not `map`, which passes over holes: each place has a result.
  const prepared = Array.from(items, (item) => prepareItem(item, defaults))
  return prepared.some(isPromise) ? Promise.all(prepared) : (prepared as Prepared[])
}

function prepareItem(
  item: MessageInput | BatchItem,
  defaults: DispatchOptions | undefined,
): Prepared | Promise<Prepared> {
  try {
    const { message, options } = split(item)
    const request = prepare(message, options, defaults)
    return typeof request === 'string' ? request : request.catch(refused)
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): Prepared {
  return { error: error as Error }
}

function split(item: MessageInput | BatchItem): BatchItem {
  const isItem = typeof item === 'object' && item !== null && 'message' in item && item.type === undefined
  if (!isItem) return { message: item as MessageInput }
  const stray = unknownKey(item, ITEM_KEYS)
  if (stray === undefined) return item
  const problem = `${unknown('key', stray, ['message', 'options'])}; options belong into options`
  throw invalid('SYMPHONY_UNKNOWN_OPTION', joinPath('item', stray), problem)
}

const ITEM_KEYS = ['message', 'options', 'type']

async function dispatchAtomically(prepared: Prepared[], send: Send): Promise<BatchResult[]> {
  const requests = prepared.map((one) => {
    if (typeof one !== 'string') throw one.error
    return one
  })
  if (requests.length === 0) return []
  refuseTooLong(requests)
  return send(`{"atomic":true,"requests":[${requests.join()}]}`)
}

function refuseTooLong(requests: string[]): void {
  const characters = requests.reduce((sum, { length }) => sum + length, 0)
  if (characters <= LONGEST_ATOMIC) return
  throw invalid(
    'SYMPHONY_PAYLOAD_TOO_LARGE',
    'messages',
    `are ${characters} characters of JSON, and an atomic batch, which is one statement, has at most ${LONGEST_ATOMIC}: ` +
      'store the data elsewhere and send its address, or dispatch without `atomic`',
  )
}

/** Keeps no single requests: what lives while the core is at work is moved around by the garbage collector. */
function toChunks(prepared: Prepared[]): Chunk[] {
  const chunks: Chunk[] = []
  for (let start = 0; start < prepared.length; ) {
    const end = endOfChunk(prepared, start)
    chunks.push(toChunk(prepared.slice(start, end)))
    start = end
  }
  return chunks
}

function endOfChunk(prepared: Prepared[], start: number): number {
  const last = Math.min(start + LARGEST, prepared.length)
  let characters = 0
  for (let end = start; end < last; end += 1) {
    const one = prepared[end]
    characters += typeof one === 'string' ? one.length : 0
    if (characters > LONGEST) return Math.max(end, start + 1)
  }
  return last
}

function toChunk(prepared: Prepared[]): Chunk {
  const refused = new Map<number, Error>()
  const requests = prepared.filter((one, place) => {
    if (typeof one === 'string') return true
    refused.set(place, one.error)
    return false
  })
  return { requests: `[${requests.join()}]`, count: requests.length, refused }
}

async function dispatchChunk(chunk: Chunk, send: Send): Promise<BatchResult[]> {
  const results = chunk.count === 0 ? [] : await sendEach(chunk, send)
  // In the original order.
  for (const [place, error] of chunk.refused) results.splice(place, 0, { success: false, error })
  return results
}

/** A call that fails as a whole fails each of its messages: earlier chunks are stored, and the caller must know. */
async function sendEach({ requests, count }: Chunk, send: Send): Promise<BatchResult[]> {
  try {
    return await send(requests)
  } catch (error) {
    return Array.from({ length: count }, () => ({ success: false, error: error as Error }))
  }
}
