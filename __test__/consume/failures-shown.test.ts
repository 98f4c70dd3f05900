import { consumeBatch, dispatch, HandlerRegistry, setLogger } from '@leadmap/symphony'
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
