/** Spans of dispatching, consuming and handling, after OpenTelemetry's semantic conventions for messaging. */

import { safely } from '../base/safely.js'
import type { MessageHeaders } from '../message/message.js'
import {
  FAILED,
  KIND,
  type OpenTelemetry,
  openTelemetry,
  type Span,
  type SpanContext,
  type Tracer,
  tracerOf,
} from './open-telemetry.js'
import { readTraceContext, storedTraceContext, type TraceContext, withTraceContext } from './trace-context.js'

/** What a span says. */
export type Attributes = Record<string, string | number>

/** A message whose handlers run, as far as a span describes it. */
interface Handled {
  readonly headers: MessageHeaders
  readonly attempt: number
  readonly delivery: { id: string; type: string; queue: string; transport: string }
}

/** How they ended; without a settlement they succeeded. */
interface Ended {
  settlement?: { as: string } | undefined
  error?: unknown
}

const SYSTEM = { 'messaging.system': 'symphony' }

/** A tracer that fails must not break what it traces. */
const TRACER = 'the OpenTelemetry tracer'

/** The trace context that a message dispatched now carries. */
export function currentTraceContext(): TraceContext | undefined {
  const api = openTelemetry()
  return (api && safely(TRACER, () => activeTraceContext(api), { once: api })) ?? storedTraceContext()
}

function activeTraceContext(api: OpenTelemetry): TraceContext | undefined {
  const active = api.trace.getSpan(api.context.active())?.spanContext()
  return active !== undefined && api.trace.isSpanContextValid(active) ? toTraceContext(active) : undefined
}

/** Runs a dispatch in its own span, if spans are recorded. */
export function inDispatchSpan<T>(
  type: string,
  work: () => Promise<T>,
  describe: (result: T) => Attributes,
): Promise<T> {
  const recorder = findRecorder()
  if (recorder === undefined) return work()
  const operation = { 'messaging.operation.name': 'dispatch', 'messaging.operation.type': 'send' }
  const attributes = { ...SYSTEM, ...operation, 'symphony.message.type': type }
  const begin = () => startSpan(recorder, `dispatch ${type}`, { kind: KIND.producer, attributes })
  return inSpan(recorder.api, begin, work, (span, result) => void span.setAttributes(describe(result)))
}

/** Runs a drain in a span, to which the spans of its messages are linked. */
export function inConsumeSpan<T>(work: () => Promise<T>, describe: (result: T) => Attributes): Promise<T> {
  const recorder = findRecorder()
  if (recorder === undefined) return work()
  const operation = { 'messaging.operation.name': 'consume', 'messaging.operation.type': 'receive' }
  const options = { kind: KIND.consumer, attributes: { ...SYSTEM, ...operation } }
  const begin = () => startSpan(recorder, 'consume', options)
  return inSpan(recorder.api, begin, work, (span, result) => void span.setAttributes(describe(result)))
}

/** Runs the handlers of a message as part of the trace that dispatched it. */
export type InHandlerSpan = <T extends Ended>(context: Handled, work: () => T | Promise<T>) => T | Promise<T>

/**
 * How handlers become part of the traces that dispatched their messages, so that messages dispatched by the handlers
 * continue them: in the bare context, and with OpenTelemetry in a span whose parent is the dispatch. Asked for once for
 * many messages: whether spans are recorded does not change with each.
 */
export function handlerSpans(): InHandlerSpan {
  const recorder = findRecorder()
  if (recorder === undefined) return inBareTrace
  return (context, work) =>
    inSpan(
      recorder.api,
      () => startHandlerSpan(recorder, context),
      () => inBareTrace(context, work),
      tellFailure,
    )
}

function inBareTrace<T>({ headers }: Handled, work: () => T): T {
  return headers.traceparent === undefined ? work() : withTraceContext(headers, work)
}

/** Its parent is the dispatch, if that was traced; the drain is linked. */
function startHandlerSpan(recorder: Recorder, context: Handled): Placed {
  const { api } = recorder
  const active = api.context.active()
  const options = { kind: KIND.consumer, attributes: attributesOf(context) }
  const name = `process ${context.delivery.type}`
  const origin = readTraceContext(context.headers)
  if (origin === undefined) return startSpan(recorder, name, options)
  const consuming = api.trace.getSpan(active)?.spanContext()
  const links = consuming === undefined ? [] : [{ context: consuming }]
  return startSpan(recorder, name, { ...options, links }, api.trace.setSpanContext(active, toSpanContext(api, origin)))
}

/** The API, and where its spans go. */
interface Recorder {
  api: OpenTelemetry
  tracer: Tracer
}

/**
 * Nothing if the API is installed without an SDK: its spans lead nowhere, and V8 keeps what they leave for so long that
 * a drain of messages of 1 KiB took 190 MB instead of 30, and 9 us of CPU per message instead of 6.
 */
function findRecorder(): Recorder | undefined {
  const api = openTelemetry()
  const tracer = api && safely(TRACER, () => tracerOf(api), { once: api })
  return api && tracer && { api, tracer }
}

/** A span, and the context that it is active in. */
interface Placed {
  span: Span
  inside: object
}

function startSpan(
  { api, tracer }: Recorder,
  name: string,
  options: Parameters<Tracer['startSpan']>[1],
  parent: object = api.context.active(),
): Placed {
  const span = tracer.startSpan(name, options, parent)
  return { span, inside: api.trace.setSpan(parent, span) }
}

/** Runs `work` in a span, or without one if the tracer fails; in any case once. */
async function inSpan<T>(
  api: OpenTelemetry,
  start: () => Placed,
  work: () => T | Promise<T>,
  describe: (span: Span, result: T) => void,
): Promise<T> {
  const placed = safely(TRACER, start, { once: api })
  if (placed === undefined) return work()
  const { span, inside } = placed
  try {
    const result = await inContext(api, inside, work)
    safely(TRACER, () => describe(span, result), { once: api })
    return result
  } catch (error) {
    safely(TRACER, () => fail(span, error), { once: api })
    throw error
  } finally {
    safely(TRACER, () => span.end(), { once: api })
  }
}

function inContext<T>(api: OpenTelemetry, inside: object, work: () => T | Promise<T>): Promise<T> {
  let working: Promise<T> | undefined
  const begin = (): Promise<T> => {
    working ??= (async () => work())()
    return working
  }
  safely(TRACER, () => void api.context.with(inside, begin), { once: api })
  return begin()
}

function tellFailure(span: Span, { settlement, error }: Ended): void {
  if (settlement === undefined) return
  span.setAttributes({ 'symphony.message.outcome': settlement.as })
  if (settlement.as === 'failed') fail(span, error)
}

/** The class of the error and not its text, as in log lines: the text may quote the payload. */
function fail(span: Span, error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error
  span.setAttributes({ 'error.type': name })
  span.recordException({ name })
  span.setStatus({ code: FAILED, message: name })
}

function attributesOf({ delivery, attempt }: Handled): Attributes {
  return {
    ...SYSTEM,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': delivery.queue,
    'messaging.message.id': delivery.id,
    'symphony.message.type': delivery.type,
    'symphony.message.attempt': attempt,
    'symphony.transport': delivery.transport,
  }
}

function toTraceContext({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceContext {
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
  const tracestate = traceState?.serialize()
  return tracestate ? { traceparent, tracestate } : { traceparent }
}

function toSpanContext(api: OpenTelemetry, { traceparent, tracestate }: TraceContext): SpanContext {
  const [, traceId = '', spanId = '', flags = '0'] = traceparent.split('-')
  const traceState = tracestate === undefined ? undefined : api.createTraceState(tracestate)
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true, traceState }
}
