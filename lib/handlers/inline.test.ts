import { beforeEach, describe, expect, test, vi } from 'vitest'
import { dispatch, dispatchBatch, HandlerError, registerHandler } from '../index.js'
import { delivery, freshProcess, stored, theCore } from '../testing/fakes/fake-core.js'

beforeEach(freshProcess)

const message = { type: 'A', payload: { n: 1 } }

describe('the transport sync', () => {
  /** Runs messages as the core does for the transport `sync`. */
  function handleInline(): void {
    const core = theCore()
    core.answer = async (all) => {
      const batch = core.inlineSettled.length
      core.deliverInline(
        batch,
        all.map(({ type, payload }) => delivery(type, { payload })),
      )
      const [, lines] = await vi.waitUntil(() => core.inlineSettled.find(([settled]) => settled === batch))
      return all.map((request, index) => {
        const outcome = lines[index]?.[3]
        if (outcome?.as !== 'failed') return stored(request, { status: 'handled', transport: 'sync' })
        const details = { messageId: `id-of-${request.type}` }
        return {
          error: { class: 'HandlerError', code: 'SYMPHONY_HANDLER_FAILED', message: outcome.error.message, details },
        }
      })
    }
  }

  beforeEach(async () => {
    await dispatch(message)
    handleInline()
  })

  test('runs the handlers inside dispatch', async () => {
    const seen = vi.fn()
    registerHandler('A', (got) => seen(got.payload))
    expect(await dispatch(message)).toMatchObject({ status: 'handled', transport: 'sync' })
    expect(seen).toHaveBeenCalledWith({ n: 1 })
  })

  test("throws the handler's own error", async () => {
    const error = new RangeError('mine')
    registerHandler('A', () => Promise.reject(error))
    await expect(dispatch(message)).rejects.toBe(error)
    expect(await dispatchBatch([message])).toEqual([{ success: false, error }])
    registerHandler('U', () => Promise.reject(undefined))
    await expect(dispatch({ type: 'U', payload: {} })).rejects.toBeUndefined()
  })

  test('without a handler it says what to do', async () => {
    const error = await dispatch({ type: 'Z', payload: {} }).catch((thrown: Error) => thrown)
    expect(error).toBeInstanceOf(HandlerError)
    expect((error as Error).message).toContain("registerHandler('Z', …)")
  })

  test('a handler may dispatch, however deep', async () => {
    registerHandler('Deep', async ({ payload }) => {
      if (payload.depth > 0) await dispatch({ type: 'Deep', payload: { depth: payload.depth - 1 } })
    })
    expect(await dispatch({ type: 'Deep', payload: { depth: 5 } })).toMatchObject({ status: 'handled' })
  })
})
