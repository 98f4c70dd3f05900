/**
 * W3C trace context: which request a message comes from. It travels in the headers `traceparent` and `tracestate`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ProcessSlot } from '../base/process-state.js'

/** A place in a trace. */
export interface TraceContext {
  /** `00-<trace id>-<span id>-<flags>`. */
  traceparent: string
  /** What vendors add. */
  tracestate?: string
}

/** Where a trace context may come from: a request, its headers, or an object with them. */
export type TraceCarrier = Request | Headers | Record<string, unknown> | null | undefined

const slot = new ProcessSlot<AsyncLocalStorage<TraceContext>>('traceContext')
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/
/** What the recommendation asks everyone to propagate. */
const LONGEST_STATE = 512

/** The trace context in some headers; `undefined` without a valid one. */
export function readTraceContext(carrier: TraceCarrier): TraceContext | undefined {
  if (typeof carrier !== 'object' || carrier === null) return undefined
  const headers = 'headers' in carrier && isHeaders(carrier.headers) ? carrier.headers : carrier
  const get = (name: string): unknown => (isHeaders(headers) ? headers.get(name) : (headers as Fields)[name])
  const traceparent = get('traceparent')
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return undefined
  const tracestate = get('tracestate')
  const fits = typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= LONGEST_STATE
  return fits ? { traceparent, tracestate } : { traceparent }
}

type Fields = Record<string, unknown>

function isHeaders(value: unknown): value is Headers {
  return typeof (value as Headers | null)?.get === 'function'
}

/**
 * Runs `work`; messages dispatched in it, also later in its promises, carry the trace context of `carrier`. With
 * `@opentelemetry/api` installed this is not needed: the active span is used.
 *
 * @example
 * export const POST = (request: Request) => withTraceContext(request, () => dispatch(message).then(toResponse))
 */
export function withTraceContext<T>(carrier: TraceCarrier, work: () => T): T {
  const context = readTraceContext(carrier)
  return context === undefined ? work() : slot.get(() => new AsyncLocalStorage()).run(context, work)
}

/** The trace context that {@link withTraceContext} has set. Costs nothing until it is used. */
export function storedTraceContext(): TraceContext | undefined {
  return slot.peek()?.getStore()
}

/** The trace id, for log lines. */
export function traceIdOf(headers: Record<string, unknown>): string | undefined {
  const { traceparent } = headers
  return typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent.slice(3, 35) : undefined
}
