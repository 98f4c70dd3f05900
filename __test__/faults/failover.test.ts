import { close, dispatch, HandlerRegistry, runDueSchedules, schedule, TransportError, Worker } from '@leadmap/symphony'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { isPooled } from '../support/database.js'
import { createQueue } from '../support/symphony.js'
import { numbers } from './support/scale.js'
import { until } from './support/until.js'

// One connection, so that no other one can stand in for it.
const database = await createQueue({ database: { poolSize: 1 } })
const message = { type: 'Any', payload: {} }

afterEach(close)

/**
 * Lets the connection of this process be one to a server that takes no writes, as it is after a failover where it went
 * to a standby; new ones lead to a primary. What is open stays as it is for as long as it is open.
 */
async function connectToStandby(): Promise<void> {
  const alter = `ALTER DATABASE ${database.name}`
  await close()
  await database.query(`${alter} SET default_transaction_read_only = on`)
  const refusal = await dispatch(message).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(TransportError)
  expect(refusal).toMatchObject({ message: expect.stringContaining('SQLSTATE 25006') })
  await database.query(`${alter} RESET default_transaction_read_only`)
}

// A pooler keeps connections of its own to whatever it takes for the primary.
describe.skipIf(isPooled())('a connection that takes no writes', () => {
  test('is given up, and the next one used', async () => {
    await connectToStandby()
    for (const _ of numbers(3)) expect(await dispatch(message)).toMatchObject({ status: 'queued' })
  })

  test('is given up by a worker and a scheduler too', async () => {
    await schedule(message, { at: Date.now() - 1000 }, { name: 'due' })
    await connectToStandby()
    const registry = new HandlerRegistry()
    registry.register('Any', () => undefined)
    const worker = new Worker({ registry, pollInterval: 20, handleSignals: false })
    onTestFinished(async () => void (await worker.stop({ force: true })))
    worker.on('error', () => undefined)
    void worker.start()
    const runs = () =>
      runDueSchedules().then(
        ({ dispatched }) => dispatched === 1,
        () => false,
      )
    await until('the run that is due is a message', runs)
    await until('it is handled', () => worker.stats().succeeded > 0)
  })
})
