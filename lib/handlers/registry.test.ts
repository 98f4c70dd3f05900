import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  ConfigurationError,
  getRegistry,
  type HandlerContext,
  HandlerRegistry,
  type Message,
  type MessageHandler,
  registerHandler,
} from '../index.js'
import { delivery, freshProcess } from '../testing/fakes/fake-core.js'
import { DeliveryContext } from './context.js'

beforeEach(freshProcess)
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const names = (registry: HandlerRegistry, type: string): string[] => registry.get(type).map(({ name }) => name)

interface EmailMessage extends Message {
  type: 'EmailMessage'
  payload: { to: string; subject: string }
}

describe('the forms of registration', () => {
  test('functions, classes, objects: the arguments are message, envelope, context, the last two one object', () => {
    class MyMessageHandler implements MessageHandler {
      seen: unknown[] = []
      // biome-ignore lint/suspicious/noExplicitAny: as users write it.
      async handle(message: Message, envelope: any, context: HandlerContext): Promise<void> {
        this.seen = [message.payload, envelope, context]
      }
    }
    const emailHandler: MessageHandler<EmailMessage> = {
      type: 'EmailMessage',
      handle: async (message: EmailMessage, context: HandlerContext) => {
        context.logger.debug(message.payload.to)
      },
    }
    const registry = new HandlerRegistry()
    const handler = new MyMessageHandler()
    registry.register('MyMessage', handler)
    registry.register(emailHandler)
    registry.register(emailHandler, { name: 'again', timeout: '30s' })
    registry.register('EmailMessage', async (message: EmailMessage, context: HandlerContext) => [message, context], {
      name: 'inferred',
    })
    // @ts-expect-error A handler of one type cannot be registered for another.
    registry.register('Other', async (message: EmailMessage) => message.payload.to)
    registry.register<EmailMessage>('EmailMessage', async (message) => message.payload.subject, { name: 'typed' })
    registry.register('Untyped', async (message) => message.payload.anything.at.all)

    expect(registry.types()).toEqual(['MyMessage', 'EmailMessage', 'Other', 'Untyped'])
    expect(registry.get('EmailMessage').map(({ name, timeout }) => [name, timeout])).toEqual([
      ['default', undefined],
      ['again', 30_000],
      ['inferred', undefined],
      ['typed', undefined],
    ])
    const context = new DeliveryContext(delivery('MyMessage', { payload: { a: 1 } }), null)
    registry.get('MyMessage')[0]?.run(context)
    expect(handler.seen).toEqual([{ a: 1 }, context, context])
  })

  test.each<[unknown, unknown]>([
    ['', () => 1],
    [undefined, () => 1],
    ['A', undefined],
    ['A', {}],
    ['A', { handle: 1 }],
    ['A', Object.assign(() => 1, { timeout: 'soon' })],
    ['A', { name: 7, handle: () => 1 }],
  ])('refuses %s', (type, handler) => {
    expect(() => new HandlerRegistry().register(type as string, handler as never)).toThrow(
      expect.objectContaining({ code: 'SYMPHONY_INVALID_HANDLER' }),
    )
  })

  test.each<[string, unknown, string]>([
    [
      'A',
      { tiemout: '5s' },
      'options.tiemout of the handler of A: unknown option; the options are name, timeout; did you mean "timeout"?',
    ],
    ['A', '5s', 'the options of the handler of A: got string, wants an object { name, timeout }'],
    ['A', null, 'the options of the handler of A: got null, wants an object'],
    ['Em*il', {}, 'the pattern Em*il never matches: a star stands at the end, as in "Email*", or alone'],
    ['*Mail', {}, 'the pattern *Mail never matches'],
    ['Email**', {}, 'the pattern Email** never matches'],
  ])('refuses %s with %j', (type, options, problem) => {
    const registry = new HandlerRegistry()
    expect(() => registry.register(type, () => 1, options as object)).toThrow(problem)
    expect(registry.types()).toEqual([])
  })

  test('refuses a middleware that is not a function, and options that it does not have', () => {
    const registry = new HandlerRegistry()
    expect(() => registry.use({} as never)).toThrow('a middleware must be a function')
    expect(() => registry.use(async () => 1, { nmae: 'x' } as object)).toThrow('did you mean "name"?')
    expect(registry.middleware).toEqual([])
  })

  test('refuses an object that names no type', () => {
    expect(() => new HandlerRegistry().register({ handle: () => 1 })).toThrow(ConfigurationError)
    expect(() => new HandlerRegistry().register(null as never)).toThrow(ConfigurationError)
  })
})

describe('several handlers', () => {
  test('differ by the name given; the same name replaces in place', async () => {
    class Audit {
      handle(): void {}
    }
    const registry = new HandlerRegistry()
    registry.register('A', function send(): void {}, { name: 'send' })
    registry.register('A', new Audit(), { name: 'audit' })
    registry.register('A', () => 1)
    registry.register('A', { name: 'own', handle: () => 1 })
    const before = registry.get('A')[0]
    await null
    registry.register('A', function other(): void {}, { name: 'send' })
    expect(names(registry, 'A')).toEqual(['send', 'audit', 'default', 'own'])
    expect(registry.get('A').map(({ identity }) => identity)).toEqual(['A#send', 'A#audit', 'A', 'A#own'])
    expect(registry.get('A')[0]).not.toBe(before)
  })

  test('a replacement by other code in production is reported: no hot reload there', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const registry = new HandlerRegistry()
    const register = async (...code: Array<() => unknown>) => {
      for (const handler of code) {
        registry.register('A', handler)
        await null
      }
    }
    const evaluate = () => () => 3
    await register(() => 1, () => 2) // biome-ignore format: one line.
    vi.stubEnv('NODE_ENV', 'development')
    await register(() => 1, () => 2) // biome-ignore format: one line.
    vi.stubEnv('NODE_ENV', 'production')
    await register(evaluate())
    warn.mockClear()
    await register(evaluate(), evaluate())
    expect(warn).not.toHaveBeenCalled()
    await register(() => 1)
    expect(warn).toHaveBeenCalledOnce()
  })

  test('a replacement by a name that was given is meant, in production as well', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    vi.stubEnv('NODE_ENV', 'production')
    const registry = new HandlerRegistry()
    registry.register('A', () => 1, { name: 'send' })
    await null
    registry.register('A', () => 2, { name: 'send' })
    expect(warn).not.toHaveBeenCalled()
  })

  test('two of the same code in one go may be two, though they may be one: the last one stays, and it is reported', () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const registry = new HandlerRegistry()
    for (const to of ['a', 'b']) registry.register('A', () => to)
    expect(names(registry, 'A')).toEqual(['default'])
    expect(warn).toHaveBeenCalledOnce()
    const once = () => 1
    for (const type of ['B', 'B']) registry.register(type, once)
    expect(warn).toHaveBeenCalledOnce()
  })

  test('patterns add to the exact ones, the longest prefix first', () => {
    const registry = new HandlerRegistry()
    registry.register('*', () => 1, { name: 'all' })
    registry.register('Email*', () => 1, { name: 'mail' })
    registry.register('E*', () => 1, { name: 'e' })
    registry.register('EmailMessage', () => 1, { name: 'exact' })
    expect(names(registry, 'EmailMessage')).toEqual(['exact', 'mail', 'e', 'all'])
    expect(names(registry, 'Other')).toEqual(['all'])
    expect(registry.claimable()).toBeNull()
  })
})

describe('two handlers that would be one', () => {
  test('of a type with # in it and of a type with a name are refused, whenever the second one comes', async () => {
    const registry = new HandlerRegistry()
    registry.register('A#b', () => 1)
    await null
    expect(() => registry.register('A', () => 1, { name: 'b' })).toThrow('would be stored as A#b')
    expect(registry.has('A#b')).toBe(true)
  })

  test('of bound methods are refused, though a bound function shows no code', () => {
    const service = { mail: () => 1, crm: () => 2 }
    const registry = new HandlerRegistry()
    registry.register('A', service.mail.bind(service))
    expect(() => registry.register('A', service.crm.bind(service))).toThrow('two handlers of A without a name')
    registry.register('A', service.mail.bind(service))
    registry.register('B', { handle: service.mail.bind(service) })
    expect(() => registry.register('B', { handle: service.crm.bind(service) })).toThrow('two handlers of B')
  })
})

test('a generator is refused: its body would never run', () => {
  const registry = new HandlerRegistry()
  const handlers = [
    async function* () {
      yield 1
    },
    {
      *handle() {
        yield 1
      },
    },
  ]
  for (const handler of handlers) {
    const register = () => registry.register('A', handler)
    expect(register).toThrow(expect.objectContaining({ code: 'SYMPHONY_INVALID_HANDLER' }))
    expect(register).toThrow('the handler of A is a generator, which nobody would run: write it without the star')
  }
})

describe('taking away', () => {
  test('by type, by name, by the answer of register, all', () => {
    const registry = new HandlerRegistry()
    const changed = vi.fn()
    const deaf = registry.onChange(changed)
    const takeBack = registry.register('A', () => 1, { name: 'one' })
    registry.register('A', () => 1, { name: 'two' })
    registry.register('B', () => 1)
    takeBack()
    expect(names(registry, 'A')).toEqual(['two'])
    expect(registry.unregister('A', 'nope')).toBe(false)
    expect(registry.unregister('A', 'two')).toBe(true)
    expect(registry.has('A')).toBe(false)
    expect(registry.claimable()).toEqual(['B'])
    expect(registry.unregister('B')).toBe(true)
    deaf()
    registry.use(async (_envelope, _context, next) => next())
    registry.clear()
    expect(registry.middleware).toEqual([])
    expect(changed).toHaveBeenCalledTimes(6)
  })
})

test('middleware: by order, by name, taken back', () => {
  const registry = new HandlerRegistry()
  const pass = async (_envelope: unknown, _context: unknown, next: () => Promise<unknown>): Promise<unknown> => next()
  const [a, b, c] = [pass.bind(null), pass.bind(null), pass.bind(null)]
  const takeBack = registry.use(a)
  registry.use(b, { name: 'x' })
  registry.use(c, { name: 'x' })
  expect(registry.middleware).toEqual([a, c])
  takeBack()
  expect(registry.middleware).toEqual([c])
})

test('the registry of the process', () => {
  const takeBack = registerHandler('A', () => 1)
  expect(getRegistry().has('A')).toBe(true)
  takeBack()
  expect(getRegistry().has('A')).toBe(false)
})
