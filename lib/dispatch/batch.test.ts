import { beforeEach, describe, expect, test } from 'vitest'
import { dispatch, dispatchBatch, MessageValidationError } from '../index.js'
import { freshProcess, nativeError, stored, theCore } from '../testing/fakes/fake-core.js'

beforeEach(freshProcess)

const message = { type: 'A', payload: { n: 1 } }

function requests(call = 0): unknown[] {
  return JSON.parse(theCore().dispatched[call] ?? '[]')
}

describe('dispatchBatch', () => {
  test('one call, one entry per message, and a bad one stops no other', async () => {
    const results = await dispatchBatch(
      [
        message,
        { type: 'B', payload: { n: 1n } },
        { message: { type: 'C', payload: {} }, options: { priority: 9, headers: { b: '2' }, metadata: { b: 2 } } },
        null as never,
      ],
      { priority: 3, queue: 'q', headers: { a: '1' }, metadata: { a: 1 } },
    )
    expect(results).toMatchObject([
      { success: true, messageId: 'id-of-A', priority: 3 },
      { success: false, error: { code: 'SYMPHONY_INVALID_PAYLOAD' } },
      { success: true, messageId: 'id-of-C', priority: 9 },
      { success: false, error: { code: 'SYMPHONY_INVALID_TYPE' } },
    ])
    expect(theCore().dispatched).toHaveLength(1)
    expect(requests()).toMatchObject([
      { options: { priority: 3, queue: 'q', headers: { a: '1' } } },
      { options: { priority: 9, queue: 'q', headers: { a: '1', b: '2' }, metadata: { a: 1, b: 2 } } },
    ])
  })

  test('a hole has its entry, and what would be read as no options is refused', async () => {
    const holes = Object.assign(new Array(3), { 0: message, 2: message })
    expect(await dispatchBatch(holes)).toMatchObject([{ success: true }, { success: false }, { success: true }])
    for (const options of [[], new Map([['delay', '5m']]), null]) {
      await expect(dispatchBatch([message], options as never)).rejects.toMatchObject({ path: 'options' })
    }
  })

  test("the core's refusals are entries, too", async () => {
    await dispatch(message)
    const error = { class: 'MessageValidationError', code: 'SYMPHONY_INVALID_TYPE', message: 'type: is empty' }
    theCore().answer = ([first]) => [stored(first), { error }]
    const results = await dispatchBatch([message, message])
    expect(results[0]).toMatchObject({ success: true })
    expect(results[1]).toMatchObject({ success: false, error: { name: 'MessageValidationError' } })
  })

  test('goes in calls of 8 MiB, where it is larger', async () => {
    await dispatch(message)
    const large = { type: 'A', payload: { text: 'x'.repeat(3 * 1024 * 1024) } }
    const results = await dispatchBatch([
      large,
      large,
      large,
      { type: 'A', payload: { text: 'x'.repeat(9 * 1024 * 1024) } },
    ])
    const sizes = theCore()
      .dispatched.slice(1)
      .map((text) => JSON.parse(text).length)
    expect(sizes).toEqual([2, 1, 1])
    expect(results.every(({ success }) => success)).toBe(true)
  })

  test('goes in calls of 5,000, and tells what a failing one took with it', async () => {
    await dispatch(message)
    const answer = theCore().answer
    theCore().answer = (all) => {
      if (all.length < 5_000) throw nativeError({ class: 'TransportError', code: 'SYMPHONY_TIMEOUT', message: 'slow' })
      return answer(all)
    }
    const results = await dispatchBatch(Array.from({ length: 5_002 }, () => message))
    expect(
      theCore()
        .dispatched.slice(1)
        .map((text) => JSON.parse(text).length),
    ).toEqual([5_000, 2])
    expect(results[4_999]).toMatchObject({ success: true })
    expect(results[5_000]).toMatchObject({ success: false, error: { code: 'SYMPHONY_TIMEOUT' } })
  })

  test('atomic: one call, and the first error rejects the whole', async () => {
    const results = await dispatchBatch([message, message], { atomic: true, priority: 2 })
    expect(results).toMatchObject([{ success: true }, { success: true }])
    expect(JSON.parse(theCore().dispatched[0] ?? '')).toEqual({
      atomic: true,
      requests: [
        { ...message, options: { priority: 2 } },
        { ...message, options: { priority: 2 } },
      ],
    })
    await expect(dispatchBatch([message, null as never], { atomic: true })).rejects.toThrow(MessageValidationError)
    expect(theCore().dispatched).toHaveLength(1)
    expect(await dispatchBatch([], { atomic: true })).toEqual([])
  })

  test('one key for a whole batch is refused; no array, too; an empty batch is nothing', async () => {
    const options = { idempotencyKey: 'k' } as never
    await expect(dispatchBatch([message], options)).rejects.toMatchObject({ code: 'SYMPHONY_INVALID_IDEMPOTENCY_KEY' })
    await expect(dispatchBatch('x' as never)).rejects.toThrow(MessageValidationError)
    expect(await dispatchBatch([])).toEqual([])
  })
})
