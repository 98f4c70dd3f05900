import { describe, expect, test, vi } from 'vitest'
import { fromNative, toError } from '../core/native-error.js'
import {
  ConfigurationError,
  HandlerError,
  HandlerTimeoutError,
  MessageValidationError,
  SchedulerError,
  SerializationError,
  SymphonyError,
  TransportError,
} from './errors.js'

describe('classes', () => {
  test.each([
    [new MessageValidationError('m'), 'MessageValidationError', 'SYMPHONY_INVALID_MESSAGE'],
    [new ConfigurationError('m'), 'ConfigurationError', 'SYMPHONY_INVALID_CONFIGURATION'],
    [new TransportError('m'), 'TransportError', 'SYMPHONY_TRANSPORT_FAILED'],
    [new HandlerError('m'), 'HandlerError', 'SYMPHONY_HANDLER_FAILED'],
    [new HandlerTimeoutError('m'), 'HandlerTimeoutError', 'SYMPHONY_HANDLER_TIMEOUT'],
    [new SerializationError('m'), 'SerializationError', 'SYMPHONY_SERIALIZATION_FAILED'],
    [new SchedulerError('m'), 'SchedulerError', 'SYMPHONY_SCHEDULER_FAILED'],
  ])('%s', (error, name, code) => {
    expect(error).toMatchObject({ name, code, message: 'm', details: null })
    expect(error).toBeInstanceOf(SymphonyError)
    expect(error).toBeInstanceOf(Error)
    expect(error.stack).toContain('errors.test.ts')
  })

  test('a HandlerError decides about the retry and carries facts', () => {
    expect(new HandlerError('later').retryable).toBe(true)
    const cause = new Error('inner')
    const error = new HandlerError('never', false, { orderId: 7 }, { cause })
    expect(error).toMatchObject({ retryable: false, details: { orderId: 7 }, cause })
  })

  test('a validation error tells path and issues', () => {
    const issues = [{ path: 'payload.to', message: 'required' }]
    const error = new MessageValidationError('bad', { details: { path: 'payload.to', issues } })
    expect(error.path).toBe('payload.to')
    expect(error.issues).toEqual(issues)
    expect(new MessageValidationError('bad').path).toBeNull()
    expect(new MessageValidationError('bad').issues).toEqual([])
  })

  test('as JSON there is neither stack nor cause', () => {
    const error = new TransportError('down', { cause: new Error('secret'), details: { a: 1 } })
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'TransportError',
      code: 'SYMPHONY_TRANSPORT_FAILED',
      message: 'down',
      details: { a: 1 },
    })
  })
})

describe('instanceof', () => {
  test('works across copies of the module, subclasses included', async () => {
    vi.resetModules()
    const copy = await import('./errors.js')
    expect(copy.HandlerError).not.toBe(HandlerError)
    const foreign = new copy.HandlerTimeoutError('slow')
    expect(foreign).toBeInstanceOf(HandlerTimeoutError)
    expect(foreign).toBeInstanceOf(HandlerError)
    expect(foreign).toBeInstanceOf(SymphonyError)
    expect(foreign).not.toBeInstanceOf(TransportError)
    expect(new copy.HandlerError('x')).not.toBeInstanceOf(HandlerTimeoutError)
  })

  test("an application's subclass is compared by prototype", () => {
    class OutOfPaper extends HandlerError {}
    expect(new OutOfPaper('x')).toBeInstanceOf(OutOfPaper)
    expect(new OutOfPaper('x')).toBeInstanceOf(HandlerError)
    expect(new HandlerError('x')).not.toBeInstanceOf(OutOfPaper)
  })

  test('nothing else is one', () => {
    for (const value of [null, undefined, 'HandlerError', 1, {}, new Error('x')]) {
      expect(value instanceof SymphonyError).toBe(false)
    }
  })
})

describe('errors of the core', () => {
  test.each([
    ['MessageValidationError', MessageValidationError],
    ['ConfigurationError', ConfigurationError],
    ['TransportError', TransportError],
    ['HandlerError', HandlerError],
    ['SerializationError', SerializationError],
    ['SchedulerError', SchedulerError],
    ['SymphonyError', SymphonyError],
  ])('%s', (name, type) => {
    const error = toError({ class: name, code: 'SYMPHONY_X', message: 'm', details: { path: 'p' } })
    expect(error).toBeInstanceOf(type)
    expect(error).toMatchObject({ name, code: 'SYMPHONY_X', message: 'm', details: { path: 'p' } })
  })

  test('are read from the message, with the stack of the caller', () => {
    const text = JSON.stringify({ symphony: { class: 'TransportError', code: 'SYMPHONY_TIMEOUT', message: 'slow' } })
    const error = fromNative(new Error(text))
    expect(error).toBeInstanceOf(TransportError)
    expect(error.message).toBe('slow')
    expect(error.stack).toContain('errors.test.ts')
  })

  test('unknown ones are kept as the cause', () => {
    for (const thrown of [new Error('panic'), new Error('{"a":1}'), new Error('{broken'), 'text', undefined]) {
      const error = fromNative(thrown)
      expect(error.code).toBe('SYMPHONY_INTERNAL')
      expect(error.cause).toBe(thrown)
    }
  })

  test('ours pass unchanged', () => {
    const error = new ConfigurationError('x')
    expect(fromNative(error)).toBe(error)
  })
})
