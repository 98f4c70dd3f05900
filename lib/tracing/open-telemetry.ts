/** `@opentelemetry/api`, if the application has it. Nothing depends on it, and it costs nothing without it. */

/** The part of the API that is used here. Its own types would make it a dependency of the typings. */
export interface OpenTelemetry {
  trace: {
    getTracerProvider(): TracerProvider
    getSpan(context: object): Span | undefined
    setSpan(context: object, span: Span): object
    setSpanContext(context: object, spanContext: SpanContext): object
    isSpanContextValid(spanContext: SpanContext): boolean
  }
  context: {
    active(): object
    with<T>(context: object, work: () => T): T
  }
  createTraceState(text: string): { serialize(): string }
}

/** The API's own provider stands for that of an SDK, and knows whether one is registered. */
interface TracerProvider {
  getTracer(name: string): Tracer
  getDelegateTracer?(name: string): Tracer | undefined
}

/** Makes spans. */
export interface Tracer {
  startSpan(name: string, options: SpanOptions, context?: object): Span
}

/** A span. */
export interface Span {
  spanContext(): SpanContext
  setAttributes(attributes: Record<string, string | number>): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: { name: string }): void
  end(): void
}

/** A span's place in its trace. */
export interface SpanContext {
  traceId: string
  spanId: string
  traceFlags: number
  traceState?: { serialize(): string }
  isRemote?: boolean
}

interface SpanOptions {
  kind: number
  attributes: Record<string, string | number>
  links?: Array<{ context: SpanContext }>
}

/** Values of the API's enums, which are part of its contract. */
export const KIND = { producer: 3, consumer: 4 } as const
/** The status of a span that failed. */
export const FAILED = 2

const NAME = '@leadmap/symphony'

let found: OpenTelemetry | null | undefined

/** The API; `undefined` if it is not installed. Checked once. */
export function openTelemetry(): OpenTelemetry | undefined {
  if (found === undefined) found = find()
  return found ?? undefined
}

/** Puts another one in place, or has it looked for again; for tests. */
export function setOpenTelemetry(other: OpenTelemetry | null | undefined): void {
  found = other
}

/** What records spans; `undefined` if no SDK is registered (yet). */
export function tracerOf({ trace }: OpenTelemetry): Tracer | undefined {
  const provider = trace.getTracerProvider()
  return provider.getDelegateTracer === undefined ? provider.getTracer(NAME) : provider.getDelegateTracer(NAME)
}

function find(): OpenTelemetry | null {
  try {
    return require('@opentelemetry/api') as OpenTelemetry
  } catch {
    return null
  }
}
