// Code of the application around the handlers that fails in the way named by FAULT, while a worker handles three messages.
// Prints what became of them. Where nothing is caught, it ends with an error instead.
import {
  dispatchBatch,
  getRegistry,
  HandlerError,
  migrate,
  registerHandler,
  Scheduler,
  setLogger,
  Worker,
} from '@leadmap/symphony'
import { configureNotifications, rollback } from '@leadmap/symphony/admin'
import { getRuntimeConfigManager } from '@leadmap/symphony/config'
import { loggingMiddleware, performanceMiddleware } from '@leadmap/symphony/utils'
import * as api from '@opentelemetry/api'

const fail = () => {
  throw new Error('foreign')
}
const reject = async () => fail()
const logger = (line) => ({ debug: line, info: line, warn: line, error: line })
const worker = new Worker({ pollInterval: 20 })
const every = (listener) => {
  for (const name of ['started', 'claimed', 'completed', 'deadLettered', 'idle', 'stopped']) worker.on(name, listener)
}
const tracer = (startSpan) => {
  api.trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan }) })
  api.context.setGlobalContextManager({ active: () => api.ROOT_CONTEXT, with: fail, enable() {}, disable() {} })
}
const span = { spanContext: fail, setAttributes: fail, setStatus: fail, recordException: fail, end: fail }

/** Resolves when the events have come, each with a listener that fails. */
const failures = (emitter, listener, times) =>
  new Promise((resolve) => {
    let heard = 0
    emitter.on('error', (error) => {
      heard += 1
      if (heard === times) resolve()
      return listener(error)
    })
  })

/** The worker meets a database without tables until it has told so twice. */
const troubleFor = (listener) => {
  const failed = failures(worker, listener, 2)
  worker.once('idle', async () => {
    await rollback({ to: 0 })
    await failed
    await migrate()
  })
  return failed
}

const faults = {
  none: () => undefined,
  'a logger that throws': () => setLogger(logger(fail)),
  'a logger that rejects': () => setLogger(logger(reject)),
  'a logger that loses its methods': () => {
    const losing = { ...logger(() => undefined), enabled: fail }
    setLogger(losing)
    for (const method of ['debug', 'info', 'warn', 'error']) delete losing[method]
  },
  'a listener that throws': () => every(fail),
  'a listener that rejects': () => every(reject),
  'a listener of errors that throws': () => troubleFor(fail),
  'a listener of errors that rejects': () => troubleFor(reject),
  'a scheduler whose listeners throw': async () => {
    const scheduler = new Scheduler({ pollInterval: 20 })
    for (const name of ['started', 'ran', 'stopped']) scheduler.on(name, fail)
    const failed = failures(scheduler, fail, 2)
    const ended = scheduler.run()
    await failed
    await scheduler.stop()
    await ended
  },
  'a scheduler to whose errors nobody listens': async () => {
    const scheduler = new Scheduler({ pollInterval: 20 })
    scheduler.once('started', () => setTimeout(() => scheduler.stop(), 200))
    await scheduler.run()
  },
  'a channel that throws what has no text': () => {
    const send = () => {
      throw Object.create(null)
    }
    configureNotifications({ channels: [{ name: 'none', send }] })
  },
  'a listener of the configuration that rejects': () => {
    getRuntimeConfigManager().onChange(reject)
    getRuntimeConfigManager().setDefaultPriority(7)
  },
  'middleware whose logger throws': () => getRegistry().use(loggingMiddleware({ logger: logger(fail) })),
  'middleware whose onMeasure throws': () => getRegistry().use(performanceMiddleware({ onMeasure: fail })),
  'middleware whose onMeasure rejects': () => getRegistry().use(performanceMiddleware({ onMeasure: reject })),
  'a tracer that throws': () => tracer(fail),
  'a span that throws': () => tracer(() => span),
}

registerHandler('Good', () => {})
registerHandler('Bad', () => Promise.reject(new HandlerError('mine', false)))

const { FAULT } = process.env
// Schedulers start without tables; the worker does not.
const isScheduler = FAULT.includes('scheduler')
if (!isScheduler) await migrate()
const failing = faults[FAULT]()
if (isScheduler) await failing
await migrate()
const ended = worker.run()
await failing
await migrate()
await dispatchBatch(['Good', 'Bad', 'Good'].map((type) => ({ type, payload: {} })))
while (worker.stats().succeeded + worker.stats().deadLettered < 3)
  await new Promise((resolve) => setTimeout(resolve, 20))
await worker.stop()
const { succeeded, deadLettered } = await ended
console.log(JSON.stringify({ succeeded, deadLettered }))
