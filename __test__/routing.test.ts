import {
  ConfigurationError,
  type DispatchOptions,
  dispatch,
  dispatchToTransports,
  getDispatcher,
  getTransportsForMessageType,
  registerTransport,
  resetConfig,
  SymphonyDispatcher,
  setConfig,
  setDispatcher,
} from '@leadmap/symphony'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createQueue, emptyTables, storedMessages } from './support/symphony.js'

const database = await createQueue()

beforeEach(async () => {
  await emptyTables(database)
  resetConfig()
  setConfig({
    database: { url: database.url },
    transports: {
      email: { type: 'supabase', queue: 'email', priority: 7 },
      async: { type: 'postgres', queue: 'async' },
      audit: { type: 'postgres' },
      later: { type: 'redis' },
    },
    routing: { EmailMessage: 'email', CampaignMessage: ['async', 'email'], 'Email*': 'async', '*': 'audit' },
  })
})
afterEach(() => setDispatcher())

/** The transports that a message of a type ends up in. */
async function route(type: string, options?: DispatchOptions): Promise<string[]> {
  await emptyTables(database)
  await dispatch({ type, payload: {} }, options)
  return (await storedMessages(database)).map((row) => row.transport_name).sort()
}

describe('a message goes', () => {
  test('where its type is routed, else where the longest pattern says', async () => {
    expect(await route('EmailMessage')).toEqual(['email'])
    expect(await route('CampaignMessage')).toEqual(['async', 'email'])
    expect(await route('EmailBounced')).toEqual(['async'])
    expect(await route('SMSMessage')).toEqual(['audit'])
    expect(getTransportsForMessageType('CampaignMessage')).toEqual(['async', 'email'])
    expect(getTransportsForMessageType('SMSMessage')).toEqual(['audit'])
  })

  test('to the default transport without a route', async () => {
    resetConfig()
    setConfig({ database: { url: database.url } })
    expect(await route('SMSMessage')).toEqual(['supabase'])
    expect(getTransportsForMessageType('SMSMessage')).toEqual(['supabase'])
  })

  test('where the call says, over every route', async () => {
    expect(await route('EmailMessage', { transport: 'audit' })).toEqual(['audit'])
    expect(await route('EmailMessage', { transport: ['audit', 'async'] })).toEqual(['async', 'audit'])
  })

  test('where its priority is routed, before the routes of types', async () => {
    setConfig({
      priorityRouting: [
        { min: 9, transport: 'audit' },
        { max: 2, transport: ['async', 'audit'], types: ['Email*'] },
      ],
    })
    expect(await route('EmailMessage', { priority: 9 })).toEqual(['audit'])
    expect(await route('EmailMessage', { priority: 2 })).toEqual(['async', 'audit'])
    expect(await route('CampaignMessage', { priority: 2 })).toEqual(['async', 'email'])
    expect(await route('EmailMessage', { priority: 5 })).toEqual(['email'])
    expect(await route('EmailMessage', { priority: 10, transport: 'email' })).toEqual(['email'])
    expect(getTransportsForMessageType('EmailMessage', 10)).toEqual(['audit'])
  })
})

describe('a message routed to several transports', () => {
  test('is one message in each, with the queue and priority of each', async () => {
    const result = await dispatch({ type: 'CampaignMessage', payload: { n: 1 } })
    expect(result).toMatchObject({ transport: 'async', queue: 'async', priority: 5 })
    expect(result.messages).toMatchObject([
      { transport: 'async', queue: 'async', priority: 5, status: 'queued' },
      { transport: 'email', queue: 'email', priority: 7, status: 'queued' },
    ])
    const ids = result.messages.map((entry) => ('messageId' in entry ? entry.messageId : undefined))
    expect(new Set(ids).size).toBe(2)
    expect((await storedMessages(database)).map((row) => row.id).sort()).toEqual([...ids].sort())
  })

  test('is stored where it can be, and says what did not take it', async () => {
    const result = await dispatch({ type: 'Any', payload: {} }, { transport: ['later', 'audit'] })
    expect(result).toMatchObject({ transport: 'audit', status: 'queued' })
    const [failed, stored] = result.messages
    expect(failed).toMatchObject({ transport: 'later', error: { code: 'SYMPHONY_TRANSPORT_UNSUPPORTED' } })
    expect((failed as { error: unknown }).error).toBeInstanceOf(ConfigurationError)
    expect(stored).toMatchObject({ transport: 'audit', messageId: result.messageId })
    expect(await storedMessages(database)).toHaveLength(1)
  })

  test('is an error when none of them took it', async () => {
    await expect(dispatch({ type: 'Any', payload: {} }, { transport: ['later'] })).rejects.toMatchObject({
      code: 'SYMPHONY_TRANSPORT_UNSUPPORTED',
    })
  })
})

describe('dispatchToTransports()', () => {
  test('returns one entry per transport, in order', async () => {
    const results = await dispatchToTransports({ type: 'Any', payload: {} }, ['email', 'later', 'audit'], {
      priority: 3,
    })
    expect(results).toMatchObject([
      { success: true, transport: 'email', queue: 'email', priority: 3, status: 'queued' },
      { success: false, transport: 'later', error: { code: 'SYMPHONY_TRANSPORT_UNSUPPORTED' } },
      { success: true, transport: 'audit', queue: 'default', priority: 3, status: 'queued' },
    ])
    expect(await storedMessages(database)).toHaveLength(2)
  })

  test('is there on the dispatcher too', async () => {
    const dispatcher = getDispatcher()
    expect(dispatcher).toBeInstanceOf(SymphonyDispatcher)
    const results = await dispatcher.dispatchToTransports({ type: 'Any', payload: {} }, ['email', 'async'])
    expect(results.every(({ success }) => success)).toBe(true)
  })
})

describe('the dispatcher of the process', () => {
  test('can be replaced, and comes back', async () => {
    const asked: string[] = []
    class Recording extends SymphonyDispatcher {
      override dispatch(...[message, options]: Parameters<SymphonyDispatcher['dispatch']>) {
        asked.push(message.type)
        return super.dispatch(message, options)
      }
    }
    setDispatcher(new Recording())
    await dispatch({ type: 'Recorded', payload: {} })
    setDispatcher()
    await dispatch({ type: 'Unrecorded', payload: {} })
    expect(asked).toEqual(['Recorded'])
    expect((await storedMessages(database)).map((row) => row.message_type)).toEqual(['Recorded', 'Unrecorded'])
  })

  test('takes a transport at run time', async () => {
    registerTransport('vip', { type: 'postgres', queue: 'vip', priority: 10 })
    expect(await dispatch({ type: 'Any', payload: {} }, { transport: 'vip' })).toMatchObject({
      transport: 'vip',
      queue: 'vip',
      priority: 10,
    })
    expect(() => registerTransport('bad', { type: 'no such type' })).toThrow(ConfigurationError)
  })

  test('in no other database: options that would be ignored are refused, and nothing has changed', async () => {
    const config = { type: 'postgres', options: { url: 'postgres://u:hunter2@elsewhere/db' } }
    for (const type of ['postgres', 'supabase', 'memory', 'sync']) {
      expect(() => registerTransport('x', { ...config, type })).toThrow(
        /^transports\.x\.options\.url: (?!.*hunter2).*wants no option/,
      )
      expect(() => setConfig({ transports: { x: { ...config, type } } })).toThrow(ConfigurationError)
    }
    await expect(dispatch({ type: 'A', payload: {}, transport: 'x' })).rejects.toMatchObject({
      code: 'SYMPHONY_UNKNOWN_TRANSPORT',
    })
    expect(await storedMessages(database)).toEqual([])
  })
})
