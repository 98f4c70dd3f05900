import {
  consumeBatch,
  defineMessage,
  dispatch,
  HandlerRegistry,
  type Message,
  registerHandler,
} from '@leadmap/symphony'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: 0, jitter: 0 } } })

beforeEach(() => emptyTables(database))

/** A function with the name that a build has given it. */
const built = <T extends (...given: never[]) => unknown>(name: string, work: T): T =>
  Object.defineProperty(work, 'name', { value: name })

const not = (calls: string[], what: string) => async () => {
  calls.push(what)
  throw new Error('not now')
}

/** Runs the messages that wait once, so that the next build meets them in the middle. */
const once = (registry: HandlerRegistry) => consumeBatch({ registry, messageLimit: 1 })

async function handled(): Promise<string[]> {
  const [row] = await database.query<{ handled: string[] | null }>(`SELECT handled FROM symphony.messenger_messages`)
  return row?.handled ?? []
}

describe('handlers that meet at one message', () => {
  test('of a type and of patterns, all without a name: each runs', async () => {
    const calls: string[] = []
    const registry = new HandlerRegistry()
    registry.register('Order.Placed', async () => void calls.push('type'))
    registry.register('Order.*', async () => void calls.push('prefix'))
    registry.register('*', async () => void calls.push('all'))
    await dispatch({ type: 'Order.Placed', payload: {} })
    expect(await consumeBatch({ registry })).toMatchObject({ succeeded: 1 })
    expect(calls).toEqual(['type', 'prefix', 'all'])
  })

  test('of a type and of a pattern with the same name given: each runs', async () => {
    const calls: string[] = []
    const registry = new HandlerRegistry()
    registry.register('Order', () => void calls.push('type'), { name: 'send' })
    registry.register('*', () => void calls.push('all'), { name: 'send' })
    await dispatch({ type: 'Order', payload: {} })
    await consumeBatch({ registry })
    expect(calls).toEqual(['type', 'all'])
  })

  test('in all forms of registration, of one class and one function: each runs, and a retry only what failed', async () => {
    const calls: string[] = []
    class Handler {
      constructor(
        readonly what: string,
        readonly type?: string,
      ) {}
      async handle(_message: Message, _envelope: unknown, { attempt }: { attempt: number }): Promise<void> {
        calls.push(`${this.what} ${attempt}`)
        if (this.what === 'class' && attempt < 3) throw new Error('not now')
      }
    }
    const send = (_message: unknown, _envelope: unknown, { attempt }: { attempt: number }) =>
      void calls.push(`function ${attempt}`)
    const Order = defineMessage('Order', z.object({ n: z.number() }))
    const registry = new HandlerRegistry()
    registry.register(Order, send)
    registry.register('Or*', send)
    registry.register('O*', new Handler('class'))
    registry.register(new Handler('object', '*'))
    await dispatch(Order, { n: 1 })
    expect(await consumeBatch({ registry })).toMatchObject({ retried: 2, succeeded: 1 })
    expect(calls).toEqual(['function 1', 'function 1', 'class 1', 'object 1', 'class 2', 'class 3'])
  })
})

describe('a retry in another build', () => {
  test('runs what had failed and nothing else, though the build has given its functions other names', async () => {
    const calls: string[] = []
    await dispatch({ type: 'Order', payload: {} })
    const before = new HandlerRegistry()
    before.register(
      'Order',
      built('a', async () => void calls.push('mail')),
    )
    before.register('*', built('b', not(calls, 'crm')))
    await once(before)
    const after = new HandlerRegistry()
    after.register(
      '*',
      built('a', async () => void calls.push('crm')),
    )
    after.register(
      'Order',
      built('b', async () => void calls.push('mail')),
    )
    expect(await once(after)).toMatchObject({ succeeded: 1 })
    expect(calls).toEqual(['mail', 'crm', 'crm'])
  })

  test('knows classes again that have exchanged their names', async () => {
    const calls: string[] = []
    await dispatch({ type: 'Order', payload: {} })
    const before = new HandlerRegistry()
    before.register('Order', new (class a { handle = async () => void calls.push('mail') })()) // biome-ignore format: one line.
    before.register('*', new (class b { handle = not(calls, 'crm') })()) // biome-ignore format: one line.
    await once(before)
    const after = new HandlerRegistry()
    after.register('Order', new (class b { handle = async () => void calls.push('mail') })()) // biome-ignore format: one line.
    after.register('*', new (class a { handle = async () => void calls.push('crm') })()) // biome-ignore format: one line.
    await once(after)
    expect(calls).toEqual(['mail', 'crm', 'crm'])
  })

  test('knows handlers again that another one has been registered before', async () => {
    const calls: string[] = []
    await dispatch({ type: 'Order', payload: {} })
    const before = new HandlerRegistry()
    before.register('Order', async () => void calls.push('mail'))
    before.register('Order', not(calls, 'crm'), { name: 'crm' })
    await once(before)
    const after = new HandlerRegistry()
    after.register('Order', async () => void calls.push('new'), { name: 'new' })
    after.register('Order', async () => void calls.push('crm'), { name: 'crm' })
    after.register('Order', async () => void calls.push('mail'))
    await once(after)
    expect(calls).toEqual(['mail', 'crm', 'new', 'crm'])
  })
})

describe('what is stored', () => {
  test('says type or pattern, and the name that was given', async () => {
    const registry = new HandlerRegistry()
    registry.register('Order', function sendMail() {})
    registry.register('Order', () => undefined, { name: 'audit' })
    registry.register('Ord*', () => undefined)
    registry.register('*', () => undefined, { name: 'log' })
    registry.register('Order', not([], ''), { name: 'crm' })
    await dispatch({ type: 'Order', payload: {} })
    await once(registry)
    expect(await handled()).toEqual(['Order', 'Order#audit', 'Ord*', '*#log'])
  })

  /** A message as versions before have left it. */
  async function left(...names: string[]): Promise<void> {
    await dispatch({ type: 'Order', payload: {} })
    await database.query(`UPDATE symphony.messenger_messages SET handled = $1, retry_count = 1`, [names])
  }

  test.each<[string, string[], string[]]>([
    ['a name that was given', ['crm'], ['mail', 'log']],
    ['the name of a function', ['sendMail'], ['crm', 'log']],
    ['the default', ['default'], ['mail', 'crm']],
    ['all of them', ['sendMail', 'crm', 'default'], []],
    ['a name that fits none', ['gone'], ['mail', 'crm', 'log']],
  ])('by a version before, as %s: runs what had not succeeded', async (_, names, expected) => {
    await left(...names)
    const calls: string[] = []
    const registry = new HandlerRegistry()
    registry.register('Order', function sendMail() {
      calls.push('mail')
    })
    registry.register('Order', () => void calls.push('crm'), { name: 'crm' })
    registry.register(
      '*',
      (
        () => () =>
          void calls.push('log')
      )(),
    )
    expect(await once(registry)).toMatchObject({ succeeded: 1 })
    expect(calls).toEqual(expected)
  })

  test.each<[string, string]>([
    ['that several handlers had', 'default'],
    ['that a minifier gives anew in each build', 'ab'],
  ])('by a version before, as a name %s: both run, for none may be left out', async (_, name) => {
    await left(name)
    const calls: string[] = []
    const registry = new HandlerRegistry()
    registry.register(
      'Order',
      built(name, () => void calls.push('mail')),
    )
    registry.register(
      '*',
      built(name === 'ab' ? 'cd' : name, () => void calls.push('crm')),
    )
    expect(await once(registry)).toMatchObject({ succeeded: 1 })
    expect(calls).toEqual(['mail', 'crm'])
  })

  test('by a deployment with handlers that this one lacks stays', async () => {
    await left('Order#elsewhere', 'elsewhere')
    const registry = new HandlerRegistry()
    registry.register('Order', not([], ''))
    await once(registry)
    expect(await handled()).toEqual(['Order#elsewhere', 'elsewhere'])
  })
})

describe('two handlers under one name', () => {
  const clash = expect.objectContaining({
    code: 'SYMPHONY_INVALID_HANDLER',
    message: expect.stringMatching(/two handlers .*Order.*name/),
  })

  test.each<[string, (registry: HandlerRegistry) => void]>([
    ['functions', (it) => it.register('Order', async () => 2)],
    ['functions with names of their own', (it) => it.register('Order', async function crm() {})],
    ['a class', (it) => it.register('Order', new (class Crm { handle(): void {} })())], // biome-ignore format: one line.
    ['an object', (it) => it.register({ type: 'Order', handle: () => 3 })],
    ['a definition', (it) => it.register(defineMessage('Order', z.object({})), () => 4)],
  ])('are refused, with the remedy: %s', (_, second) => {
    const registry = new HandlerRegistry()
    registry.register('Order', async () => 1)
    expect(() => second(registry)).toThrow(clash)
  })

  test('given are refused too, also where a pattern spells it', () => {
    const registry = new HandlerRegistry()
    registry.register('Order', () => 1, { name: 'mail' })
    expect(() => registry.register('Order', () => 2, { name: 'mail' })).toThrow(clash)
    registry.register('*', () => 1, { name: 'x' })
    expect(() => registry.register('*#x', () => 1)).toThrow(
      expect.objectContaining({ code: 'SYMPHONY_INVALID_HANDLER' }),
    )
  })

  test('in the registry of the process as well', () => {
    const takeBack = registerHandler('Order', async () => 1)
    expect(() => registerHandler('Order', async () => 2)).toThrow(clash)
    takeBack()
    registerHandler('Order', async () => 2)()
  })
})

describe('a module that is evaluated again', () => {
  const evaluate = (registry: HandlerRegistry, calls: string[], version: string) => {
    registry.register('Order', async () => void calls.push(version))
    registry.register('Order', async () => void calls.push(`named ${version}`), { name: 'named' })
  }

  test('replaces its handlers, edited or not, in their places', async () => {
    const calls: string[] = []
    const registry = new HandlerRegistry()
    evaluate(registry, calls, 'one')
    evaluate(registry, calls, 'two')
    await null
    registry.register('Order', async () => void calls.push('edited'))
    registry.register('Order', async () => void calls.push('named and edited'), { name: 'named' })
    await dispatch({ type: 'Order', payload: {} })
    await consumeBatch({ registry })
    expect(calls).toEqual(['edited', 'named and edited'])
  })
})
