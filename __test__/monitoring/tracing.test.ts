import { consumeBatch, dispatch, dispatchBatch, HandlerRegistry, setLogger, withTraceContext } from '@leadmap/symphony'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()

beforeEach(() => emptyTables(database))

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`
const request = new Request('http://localhost/', { headers: { traceparent, tracestate: 'vendor=1' } })
const message = { type: 'Traced', payload: { secret: 'hunter2' } }

describe('the trace context of a request', () => {
  test('travels with what is dispatched in it, to the handler, and on', async () => {
    const seen: unknown[] = []
    const registry = new HandlerRegistry()
    registry.register('Traced', async (_, context) => {
      seen.push([context.traceparent, context.tracestate])
      await Promise.resolve()
      await dispatch({ type: 'Next', payload: {} })
    })
    await withTraceContext(request, async () => {
      await Promise.resolve()
      await dispatch(message)
      await dispatchBatch([message])
    })
    await consumeBatch({ registry })
    expect(seen).toEqual([
      [traceparent, 'vendor=1'],
      [traceparent, 'vendor=1'],
    ])
    const next = (await storedMessages(database)).filter((row) => row.message_type === 'Next')
    expect(next.map(({ headers }) => headers)).toEqual([
      { traceparent, tracestate: 'vendor=1' },
      { traceparent, tracestate: 'vendor=1' },
    ])
  })

  test('gives way to headers, and ends with the request', async () => {
    const own = traceparent.replace('4bf9', '0af9')
    await withTraceContext({ traceparent }, () => dispatch(message, { headers: { traceparent: own, a: 'b' } }))
    await dispatch(message)
    expect((await storedMessages(database)).map(({ headers }) => headers)).toEqual([{ traceparent: own, a: 'b' }, {}])
  })

  test.each([
    'nonsense',
    `ff-${TRACE}-00f067aa0ba902b7-01`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`,
  ])('that is invalid is left out: %s', async (bad) => {
    await withTraceContext({ traceparent: bad, tracestate: 'a=b' }, () => dispatch(message))
    expect((await storedMessages(database))[0]?.headers).toEqual({})
  })
})

test('log lines in production have stable fields, and nothing of the payload or the error', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  onTestFinished(() => void vi.unstubAllEnvs())
  const lines: Array<[level: string, message: string, fields?: Record<string, unknown>]> = []
  const write = (level: string) => (text: string, fields?: Record<string, unknown>) => {
    lines.push([level, text, fields])
  }
  setLogger({ debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') })
  onTestFinished(() => setLogger())
  const registry = new HandlerRegistry()
  registry.register('Traced', (_, context) => {
    if (context.attempt === 1) throw new RangeError('hunter2 is wrong')
  })
  registry.register('Buried', () => Promise.reject(Object.assign(new TypeError('hunter2'), { status: 400 })))
  await withTraceContext(request, () => dispatch(message, { maxRetries: 1 }))
  await dispatch({ type: 'Buried', payload: message.payload })
  await consumeBatch({ registry })
  await database.query('UPDATE symphony.messenger_messages_pending SET available_at = now()')
  await consumeBatch({ registry })
  const facts = { messageId: expect.any(String), transport: 'supabase', durationMs: expect.any(Number) }
  const traced = { ...facts, messageType: 'Traced', traceId: TRACE }
  expect(lines.map(([level, , fields]) => [level, fields])).toEqual(
    expect.arrayContaining([
      ['warn', { ...traced, event: 'message.retried', attempt: 1, errorClass: 'RangeError' }],
      ['debug', { ...traced, event: 'message.completed', attempt: 2 }],
      [
        'error',
        {
          ...facts,
          event: 'message.deadLettered',
          messageType: 'Buried',
          attempt: 1,
          errorClass: 'TypeError',
          traceId: undefined,
        },
      ],
    ]),
  )
  expect(JSON.stringify(lines)).not.toContain('hunter2')
})
