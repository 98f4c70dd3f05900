/** Many messages in one call of the core. */
import { getCore } from './core.js'
import type { BatchItem, BatchOptions, BatchResult } from './dispatch-types.js'
import type { MessageInput } from './message.js'
import { awaitNative } from './native-error.js'
import { type Outcome, readOutcomes, toBatchResult } from './outcome.js'
import { prepare } from './prepare.js'
import { overDefaults } from './request.js'
import { isPromise } from './schema-validation.js'
import { invalid } from './serialization.js'

/** Messages in one call of the core at most: a few megabytes of text, and still one INSERT a transport. */
const LARGEST = 5_000

/** A message that passed, or why it did not. */
type Prepared = { request: string } | { error: Error }

/** Dispatches all messages; see `dispatchBatch()` in `dispatcher.ts`. */
export async function dispatchAll(
  messages: Array<MessageInput | BatchItem>,
  options: BatchOptions = {},
): Promise<BatchResult[]> {
  if (!Array.isArray(messages)) throw invalid('SYMPHONY_INVALID_PAYLOAD', 'messages', 'must be an array of messages')
  refuseCommonKey(options)
  const prepared = await prepareAll(messages, options)
  if (options.atomic === true) return dispatchAtomically(prepared)
  const results: BatchResult[] = []
  for (let start = 0; start < prepared.length; start += LARGEST) {
    results.push(...(await dispatchChunk(prepared.slice(start, start + LARGEST))))
  }
  return results
}

/** One key for all would store the first message and drop the others as its duplicates. */
function refuseCommonKey(options: BatchOptions): void {
  if (!('idempotencyKey' in options) || options.idempotencyKey === undefined) return
  throw invalid(
    'SYMPHONY_INVALID_IDEMPOTENCY_KEY',
    'options.idempotencyKey',
    'belongs to one message: give each item its own, as { message, options: { idempotencyKey } }',
  )
}

/** A promise a message is worth avoiding; only schemas that answer later need one. */
async function prepareAll(items: Array<MessageInput | BatchItem>, defaults: BatchOptions): Promise<Prepared[]> {
  const prepared = items.map((item) => prepareItem(item, defaults))
  return prepared.some(isPromise) ? Promise.all(prepared) : (prepared as Prepared[])
}

function prepareItem(item: MessageInput | BatchItem, defaults: BatchOptions): Prepared | Promise<Prepared> {
  try {
    const { message, options } = split(item)
    const request = prepare(message, overDefaults(defaults, options))
    return typeof request === 'string' ? { request } : request.then((request) => ({ request }), refused)
  } catch (error) {
    return refused(error)
  }
}

function refused(error: unknown): Prepared {
  return { error: error as Error }
}

function split(item: MessageInput | BatchItem): BatchItem {
  const isItem = typeof item === 'object' && item !== null && 'message' in item && !('type' in item)
  return isItem ? item : { message: item as MessageInput }
}

async function dispatchAtomically(prepared: Prepared[]): Promise<BatchResult[]> {
  const requests = prepared.map((one) => {
    if ('error' in one) throw one.error
    return one.request
  })
  if (requests.length === 0) return []
  return (await send(`{"atomic":true,"requests":[${requests.join()}]}`)).map(toBatchResult)
}

async function dispatchChunk(prepared: Prepared[]): Promise<BatchResult[]> {
  const requests = prepared.flatMap((one) => ('request' in one ? [one.request] : []))
  const answers = requests.length === 0 ? [] : await sendEach(requests)
  let next = 0
  return prepared.map((one) =>
    'error' in one ? { success: false, error: one.error } : (answers[next++] as BatchResult),
  )
}

/** A call that fails as a whole fails each of its messages: earlier chunks are stored, and the caller has to know. */
async function sendEach(requests: string[]): Promise<BatchResult[]> {
  try {
    return (await send(`[${requests.join()}]`)).map(toBatchResult)
  } catch (error) {
    return requests.map(() => ({ success: false, error: error as Error }))
  }
}

async function send(requests: string): Promise<Outcome[]> {
  return readOutcomes(await awaitNative(() => getCore().dispatch(requests)))
}
