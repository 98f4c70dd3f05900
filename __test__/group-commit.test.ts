import { describe, expect, test } from 'vitest'
import { GroupCommit } from '../lib/dispatch/group-commit.js'

/** A core that answers when it is told to. */
function core() {
  const calls: Array<{ requests: unknown[]; answer: () => void; fail: () => void }> = []
  const batcher = new GroupCommit((text) => {
    const requests: unknown[] = JSON.parse(text)
    return new Promise((resolve, reject) => {
      const answer = () => resolve(JSON.stringify(requests.map((it) => ({ ok: it }))))
      calls.push({ requests, answer, fail: () => reject(new Error('gone')) })
    })
  })
  const add = (count: number) => Array.from({ length: count }, (_, n) => batcher.add(String(n)))
  const addLarge = (count: number, size: number) =>
    Array.from({ length: count }, () => batcher.add(JSON.stringify('x'.repeat(size))))
  const sizes = () => calls.map(({ requests }) => requests.length)
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { calls, add, addLarge, sizes, turn }
}

describe('calls of the core', () => {
  test('are shared by dispatches of the same moment', async () => {
    const { calls, add, sizes, turn } = core()
    const all = Promise.all(add(999))
    await turn()
    expect(sizes()).toEqual([999])
    calls[0]?.answer()
    expect(await all).toHaveLength(999)
  })

  test('are two at a time; what comes meanwhile goes together', async () => {
    const { calls, add, sizes, turn } = core()
    for (let moment = 0; moment < 4; moment++) {
      add(10)
      await turn()
    }
    expect(sizes()).toEqual([10, 10])
    calls[0]?.answer()
    await turn()
    expect(sizes()).toEqual([10, 10, 20])
  })

  test('share out a crowd, so that one is on its way while the other is written', async () => {
    const { calls, add, sizes, turn } = core()
    const all = add(1000)
    await turn()
    expect(sizes()).toEqual([500, 500])
    expect(calls.flatMap(({ requests }) => requests)).toEqual(Array.from({ length: 1000 }, (_, n) => n))
    for (const call of calls) call.answer()
    expect(await Promise.all(all)).toHaveLength(1000)
  })

  test('hold 8 MiB at most', async () => {
    const { calls, sizes, turn, addLarge } = core()
    addLarge(30, 1024 * 1024)
    await turn()
    expect(sizes()).toEqual([7, 7])
    calls[0]?.answer()
    await turn()
    expect(sizes()).toEqual([7, 7, 7])
  })

  test('hold one message of any size', async () => {
    const { calls, sizes, turn, addLarge } = core()
    addLarge(3, 9 * 1024 * 1024)
    await turn()
    expect(sizes()).toEqual([1, 1])
    calls[0]?.answer()
    await turn()
    expect(sizes()).toEqual([1, 1, 1])
  })

  test('hold a thousand at most', async () => {
    const { calls, add, sizes, turn } = core()
    add(2500)
    await turn()
    expect(sizes()).toEqual([1000, 1000])
    calls[1]?.answer()
    await turn()
    expect(sizes()).toEqual([1000, 1000, 500])
  })

  test('fail for those that shared them, and for nobody else', async () => {
    const { calls, add, turn } = core()
    const first = Promise.allSettled(add(3))
    await turn()
    const second = Promise.allSettled(add(2))
    await turn()
    calls[0]?.fail()
    calls[1]?.answer()
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect((await second).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  })
})
