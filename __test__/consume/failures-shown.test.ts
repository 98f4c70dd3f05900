import { consumeBatch, dispatch, HandlerRegistry, setLogger } from '@leadmap/symphony'
import { getMessage, listFailed } from '@leadmap/symphony/admin'
import { createLogger } from '@leadmap/symphony/utils'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createQueue, emptyTables } from '../support/symphony.js'

const database = await createQueue({ retry: { default: { delay: 0, jitter: 0, maxRetries: 1 } } })

beforeEach(() => emptyTables(database))

/** Handles one message with a handler that has a bug, and returns the lines that were printed, by console method. */
async function handleWithBug(payload: Record<string, unknown> = {}) {
  const printed: Array<{ level: string; text: string }> = []
  const note = (level: string) => (text: string) => void printed.push({ level, text })
  vi.spyOn(console, 'warn').mockImplementation(note('warn'))
  vi.spyOn(console, 'error').mockImplementation(note('error'))
  onTestFinished(() => {
    setLogger()
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })
  const registry = new HandlerRegistry()
  registry.register('Welcome', (message) => sendWelcome(message.payload.user))
  const { messageId } = await dispatch({ type: 'Welcome', payload })
  const result = await consumeBatch({ registry })
  return { printed, result, messageId }
}

function sendWelcome(user: { name: string }): void {
  user.name.trim()
}

describe('outside production, a handler that throws shows', () => {
  test('what and where on the terminal, as a warning for each retry', async () => {
    const { printed, result } = await handleWithBug()
    expect(result).toMatchObject({ retried: 1, deadLettered: 1 })
    expect(printed.map(({ level }) => level)).toEqual(['warn', 'error'])
    for (const { text } of printed) {
      expect(text).toContain("\nTypeError: Cannot read properties of undefined (reading 'name')\n    at sendWelcome (")
      expect(text).toContain('failures-shown.test.ts:')
      expect(text).not.toContain('=?')
    }
    expect(printed[0]?.text).toMatch(/^\[symphony\] a message failed and will run again event="message.retried" /)
  })

  test('only the first failures of a minute', async () => {
    setLogger(createLogger({ format: 'text' }))
    const registry = new HandlerRegistry()
    registry.register('Welcome', () => sendWelcome(undefined as never))
    const shown: string[] = []
    const note = (text: string) => void shown.push(text)
    vi.spyOn(console, 'warn').mockImplementation(note)
    vi.spyOn(console, 'error').mockImplementation(note)
    onTestFinished(() => {
      setLogger()
      vi.restoreAllMocks()
    })
    for (let sent = 0; sent < 30; sent += 1) await dispatch({ type: 'Welcome', payload: {} })
    await consumeBatch({ registry })
    expect(shown).toHaveLength(60)
    const withStack = shown.filter((text) => text.includes('\n    at '))
    expect(withStack.length).toBeGreaterThan(0)
    expect(withStack.length).toBeLessThanOrEqual(10)
  })
})

test('in production the lines have the class of the error, and neither its text nor its stack', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  const { printed } = await handleWithBug()
  expect(printed.map(({ level }) => level)).toEqual(['warn', 'error'])
  for (const { text } of printed) {
    expect(JSON.parse(text)).toMatchObject({ errorClass: 'TypeError' })
    expect(text).not.toMatch(/Cannot read|sendWelcome/)
  }
})

test('the stack is kept with the error, cut, and without the payload that the message quotes', async () => {
  const registry = new HandlerRegistry()
  const secret = 'secret '.repeat(1_000)
  registry.register('Quote', ({ payload }) => deep(payload.text, 40))
  const { messageId } = await dispatch({ type: 'Quote', payload: { text: `${secret}\n    at payload` } })
  setLogger(createLogger({ level: 'silent' }))
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 30
  onTestFinished(() => {
    setLogger()
    Error.stackTraceLimit = stackTraceLimit
  })
  await consumeBatch({ registry, messageLimit: 1 })
  const [run] = (await getMessage(messageId))?.errorHistory ?? []
  expect(run?.stack).toMatch(/^ {4}at deep \(.*failures-shown\.test\.ts:\d+:\d+\)\n/)
  expect(run?.stack).not.toMatch(/secret|payload/)
  expect(run?.stack?.split('\n').at(-1)).toBe('    caused by RangeError: too deep')
  expect(run?.stack?.match(/^ {4}at /gm)).toHaveLength(10)
  expect(run?.stack?.length).toBeLessThanOrEqual(2_001)
  await consumeBatch({ registry })
  const { messages } = await listFailed({ full: true })
  expect(messages[0]?.errorStack).toBe(run?.stack)
  expect(messages[0]?.errorHistory.map(({ stack }) => stack)).toEqual([run?.stack, run?.stack])
})

function deep(text: string, left: number): void {
  if (left === 0) throw new Error(text, { cause: new RangeError('too deep') })
  deep(text, left - 1)
}
