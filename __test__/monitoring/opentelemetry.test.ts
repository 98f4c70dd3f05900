/** The spans against the real API and SDK, on a real Postgres. */
import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, Worker, withTraceContext } from '@leadmap/symphony'
import * as api from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type OpenTelemetry, openTelemetry, setOpenTelemetry, tracerOf } from '../../lib/tracing/open-telemetry.js'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()
const exporter = new InMemorySpanExporter()

beforeEach(() => emptyTables(database))

afterEach(() => {
  api.trace.disable()
  api.context.disable()
  exporter.reset()
})

const message = { type: 'Traced', payload: { secret: 'hunter2' } }
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`

function registerSdk(sampler?: Sampler): void {
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  api.trace.setGlobalTracerProvider(new BasicTracerProvider(sampler ? { spanProcessors, sampler } : { spanProcessors }))
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager())
}

/** Runs `work` in a span of the application's; answers the span. */
async function inRequest(work: () => Promise<unknown>, name = 'POST /orders'): Promise<api.SpanContext> {
  return api.trace.getTracer('application').startActiveSpan(name, async (span) => {
    await work().finally(() => span.end())
    return span.spanContext()
  })
}

function registryOf(handlers: Record<string, () => unknown>): HandlerRegistry {
  const registry = new HandlerRegistry()
  for (const [type, handler] of Object.entries(handlers)) registry.register(type, async () => void (await handler()))
  return registry
}

function spansNamed(name: string): ReadableSpan[] {
  return exporter.getFinishedSpans().filter((span) => span.name === name)
}

function spanNamed(name: string): ReadableSpan {
  const [span, ...others] = spansNamed(name)
  if (span === undefined || others.length > 0) throw new Error(`${others.length + (span ? 1 : 0)} spans "${name}"`)
  return span
}

const headerOf = (span: ReadableSpan): string => `00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`

async function storedHeaders(type = 'Traced'): Promise<Record<string, string>[]> {
  return (await storedMessages(database)).filter((row) => row.message_type === type).map(({ headers }) => headers)
}

test('the API of the application is found', () => {
  expect(openTelemetry()?.trace).toBe(api.trace)
})

describe('with an SDK', () => {
  beforeEach(() => registerSdk())

  test('a dispatch is a producer span in the active one, and the message carries it', async () => {
    let id = ''
    const request = await inRequest(async () => {
      id = (await dispatch(message)).messageId
    })
    const span = spanNamed('dispatch Traced')
    expect(span.kind).toBe(api.SpanKind.PRODUCER)
    expect(span.spanContext().traceId).toBe(request.traceId)
    expect(span.parentSpanContext?.spanId).toBe(request.spanId)
    expect(span.status.code).toBe(api.SpanStatusCode.UNSET)
    expect(span.attributes).toEqual({
      'messaging.system': 'symphony',
      'messaging.operation.name': 'dispatch',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'default',
      'messaging.message.id': id,
      'symphony.message.type': 'Traced',
      'symphony.transport': 'supabase',
    })
    expect(await storedHeaders()).toEqual([{ traceparent: headerOf(span) }])
  })

  test('a batch is one span, which all its messages carry', async () => {
    await inRequest(() => dispatchBatch([message, message]))
    const span = spanNamed('dispatch batch')
    expect(span.kind).toBe(api.SpanKind.PRODUCER)
    expect(span.attributes['messaging.batch.message_count']).toBe(2)
    expect(await storedHeaders()).toEqual([{ traceparent: headerOf(span) }, { traceparent: headerOf(span) }])
  })

  test('handlers run in a span below the dispatch, linked to the drain, and carry the trace on', async () => {
    let id = ''
    const request = await inRequest(async () => {
      id = (await dispatch(message)).messageId
    })
    const active: Array<api.SpanContext | undefined> = []
    const registry = registryOf({
      Traced: async () => {
        await new Promise(setImmediate)
        active.push(api.trace.getActiveSpan()?.spanContext())
        await dispatch({ type: 'Next', payload: {} })
      },
      Next: () => active.push(api.trace.getActiveSpan()?.spanContext()),
    })
    const cron = await inRequest(() => consumeBatch({ registry }), 'GET /cron')
    const [sent, drain, run] = ['dispatch Traced', 'consume', 'process Traced'].map(spanNamed) as ThreeSpans
    const [sentNext, runNext] = ['dispatch Next', 'process Next'].map(spanNamed) as TwoSpans
    expect(cron.traceId).not.toBe(request.traceId)

    expect(drain.kind).toBe(api.SpanKind.CONSUMER)
    expect(drain.parentSpanContext?.spanId).toBe(cron.spanId)
    expect(drain.attributes).toEqual({
      'messaging.system': 'symphony',
      'messaging.operation.name': 'consume',
      'messaging.operation.type': 'receive',
      'messaging.batch.message_count': 2,
      'symphony.failures': 0,
    })

    expect(run.kind).toBe(api.SpanKind.CONSUMER)
    expect(run.spanContext().traceId).toBe(request.traceId)
    expect(run.parentSpanContext).toMatchObject({ spanId: sent.spanContext().spanId, isRemote: true })
    expect(run.links.map((link) => link.context.spanId)).toEqual([drain.spanContext().spanId])
    expect(run.status.code).toBe(api.SpanStatusCode.UNSET)
    expect(run.attributes).toEqual({
      'messaging.system': 'symphony',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'default',
      'messaging.message.id': id,
      'symphony.message.type': 'Traced',
      'symphony.message.attempt': 1,
      'symphony.transport': 'supabase',
    })

    expect(sentNext.parentSpanContext?.spanId).toBe(run.spanContext().spanId)
    expect(runNext.parentSpanContext?.spanId).toBe(sentNext.spanContext().spanId)
    expect(runNext.spanContext().traceId).toBe(request.traceId)
    expect(active).toEqual([run.spanContext(), runNext.spanContext()])
  })

  test('messages that run at the same time have a trace each', async () => {
    const requests = [await inRequest(() => dispatch(message)), await inRequest(() => dispatch(message))]
    const active: Array<string | undefined> = []
    let arrived = 0
    const registry = registryOf({
      Traced: async () => {
        arrived += 1
        await expect.poll(() => arrived).toBe(2)
        active.push(api.trace.getActiveSpan()?.spanContext().traceId)
      },
    })
    await consumeBatch({ registry, maxConcurrency: 2 })
    expect(active.sort()).toEqual(requests.map(({ traceId }) => traceId).sort())
  })

  test('a message from outside any trace starts with its dispatch', async () => {
    await dispatch(message)
    await consumeBatch({ registry: registryOf({ Traced: () => {} }) })
    expect(spanNamed('dispatch Traced').parentSpanContext).toBeUndefined()
    expect(spanNamed('process Traced').spanContext().traceId).toBe(spanNamed('dispatch Traced').spanContext().traceId)
  })

  test('what vendors add to the context travels too', async () => {
    const spanContext = { traceId: TRACE, spanId: '00f067aa0ba902b7', traceFlags: 1 }
    const remote = { ...spanContext, isRemote: true, traceState: api.createTraceState('vendor=1') }
    await api.context.with(api.trace.setSpanContext(api.ROOT_CONTEXT, remote), () => dispatch(message))
    expect(await storedHeaders()).toEqual([{ traceparent: expect.stringContaining(TRACE), tracestate: 'vendor=1' }])
    let inHandler: api.SpanContext | undefined
    const registry = registryOf({
      Traced: () => {
        inHandler = api.trace.getActiveSpan()?.spanContext()
      },
    })
    await consumeBatch({ registry })
    expect([inHandler?.traceId, inHandler?.traceState?.serialize()]).toEqual([TRACE, 'vendor=1'])
  })

  test('the handlers of a worker run in the trace as well', async () => {
    const request = await inRequest(() => dispatch(message))
    let inHandler: api.SpanContext | undefined
    const registry = registryOf({
      Traced: () => {
        inHandler = api.trace.getActiveSpan()?.spanContext()
      },
    })
    const worker = new Worker({ registry })
    const ended = worker.run()
    await expect.poll(() => spansNamed('process Traced').length).toBe(1)
    await worker.stop()
    await ended
    expect(inHandler?.traceId).toBe(request.traceId)
  })

  test('a failed run says so, with the class of the error and nothing of the payload', async () => {
    await inRequest(() => dispatch(message, { maxRetries: 0 }))
    const registry = registryOf({
      Traced: () => {
        throw new RangeError('hunter2 is wrong')
      },
    })
    expect(await consumeBatch({ registry })).toMatchObject({ deadLettered: 1 })
    const span = spanNamed('process Traced')
    expect(span.status).toEqual({ code: api.SpanStatusCode.ERROR, message: 'RangeError' })
    expect(span.attributes).toMatchObject({ 'error.type': 'RangeError', 'symphony.message.outcome': 'failed' })
    expect(span.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['exception', { 'exception.type': 'RangeError' }],
    ])
    expect(spanNamed('consume').attributes['symphony.failures']).toBe(1)
    const told = exporter.getFinishedSpans().map(({ name, attributes, events, status, links }) => {
      return { name, attributes, events, status, links }
    })
    expect(JSON.stringify(told)).not.toContain('hunter2')
  })

  test('a failed dispatch says so', async () => {
    await expect(dispatch({ type: 'Traced', payload: { secret: 1n } })).rejects.toThrow()
    const { status, attributes } = spanNamed('dispatch Traced')
    expect(status.code).toBe(api.SpanStatusCode.ERROR)
    expect(attributes['error.type']).toBe(status.message)
    expect(await storedMessages(database)).toEqual([])
  })
})

test('a trace that is not sampled is carried on as such', async () => {
  registerSdk(new AlwaysOffSampler())
  const request = await inRequest(() => dispatch(message))
  let inHandler: api.SpanContext | undefined
  const registry = registryOf({
    Traced: () => {
      inHandler = api.trace.getActiveSpan()?.spanContext()
    },
  })
  expect((await storedHeaders())[0]?.traceparent).toMatch(new RegExp(`^00-${request.traceId}-[0-9a-f]{16}-00$`))
  await consumeBatch({ registry })
  expect(inHandler).toMatchObject({ traceId: request.traceId, traceFlags: api.TraceFlags.NONE })
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('spans begin with the SDK, whenever it is registered, and cost nothing before', async () => {
  await dispatch(message)
  expect(tracerOf(api as unknown as OpenTelemetry)).toBeUndefined()
  registerSdk()
  await dispatch(message)
  expect(spansNamed('dispatch Traced')).toHaveLength(1)
})

describe.each([
  ['with the API but no SDK', true],
  ['without the API', false],
])('%s', (_, installed) => {
  beforeEach(() => {
    const found = openTelemetry()
    // What a failed search for the API leaves.
    if (!installed) setOpenTelemetry(null)
    onTestFinished(() => setOpenTelemetry(found))
  })

  test('messages have no trace, and run', async () => {
    await dispatch(message)
    expect(await storedHeaders()).toEqual([{}])
    expect(await consumeBatch({ registry: registryOf({ Traced: () => {} }) })).toMatchObject({ succeeded: 1 })
  })

  test('the trace of the request travels to the handler and on', async () => {
    await withTraceContext({ traceparent, tracestate: 'vendor=1' }, () => dispatch(message))
    const registry = registryOf({ Traced: () => dispatch({ type: 'Next', payload: {} }) })
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(await storedHeaders('Next')).toEqual([{ traceparent, tracestate: 'vendor=1' }])
  })

  test('errors reach the caller as they are', async () => {
    await expect(dispatch({ type: 'Traced', payload: { secret: 1n } })).rejects.toThrow('payload.secret')
  })
})

type TwoSpans = [ReadableSpan, ReadableSpan]
type ThreeSpans = [ReadableSpan, ReadableSpan, ReadableSpan]
