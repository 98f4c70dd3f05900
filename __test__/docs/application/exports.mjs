/** The exports of the application that the recipes show: a page takes until a line comes in, or the signal does. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** @param {number} page @param {AbortSignal} signal */
export async function exportPage(page, signal) {
  console.log(`page ${page}`)
  const input = createInterface(process.stdin)
  try {
    await once(input, 'line', { signal })
  } finally {
    input.close()
  }
}
