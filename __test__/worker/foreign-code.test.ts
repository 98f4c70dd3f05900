import { describe, expect, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { startProgram } from '../support/programs.js'

/** The code that fails, what says so on standard error, and for how many functions: once for each. */
const FAULTS: Array<[fault: string, said?: string, functions?: number]> = [
  ['none'],
  ['a logger that throws', 'the logger failed'],
  ['a logger that rejects', 'the logger failed'],
  ['a logger that loses its methods', 'the logger failed'],
  ['a listener that throws', 'a listener of a worker event failed'],
  ['a listener that rejects', 'a listener of a worker event failed'],
  ['a listener of errors that throws', 'a listener of a worker event failed'],
  ['a listener of errors that rejects', 'a listener of a worker event failed'],
  ['a scheduler whose listeners throw', 'a listener of a scheduler event failed', 2],
  ['a scheduler to whose errors nobody listens'],
  ['a channel that throws what has no text', 'a notification could not be sent'],
  ['a listener of the configuration that rejects', 'a configuration listener failed'],
  ['middleware whose logger throws', 'the logger failed'],
  ['middleware whose onMeasure throws', 'onMeasure failed'],
  ['middleware whose onMeasure rejects', 'onMeasure failed'],
  ['a tracer that throws', 'the OpenTelemetry tracer failed'],
  ['a span that throws', 'the OpenTelemetry tracer failed'],
]

describe('a queue goes on, and its process ends well, beside', () => {
  test.each(FAULTS)('%s', async (fault, said, functions = 1) => {
    const database = await createDatabase()
    const program = startProgram('fail-around.mjs', { SYMPHONY_DATABASE_URL: database.url, FAULT: fault })
    expect(await program.next()).toEqual({ succeeded: 2, deadLettered: 1 })
    const { code, errors } = await program.ended
    expect(code).toBe(0)
    if (said !== undefined) expect(errors.split(said)).toHaveLength(functions + 1)
  })
})
