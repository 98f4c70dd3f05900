/** A TCP proxy that makes a near server far: every piece travels `delay` milliseconds, each way. */
import { connect, createServer } from 'node:net'

/**
 * @param {{ host: string, port: number, delay: number }} target
 * @returns {Promise<{ port: number, close: () => void }>}
 */
export async function startProxy({ host, port, delay }) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set()
  const server = createServer((near) => {
    const far = connect({ host, port })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(from)
      from.setNoDelay(true)
      // Time of travel, not of transmission: pieces follow each other at their own distance, in order.
      from.on('data', (piece) => setTimeout(() => to.write(piece), delay))
      from.on('close', () => setTimeout(() => to.destroy(), delay))
      from.on('error', () => to.destroy())
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    port: address.port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** @param {string} url @param {number} port */
export function urlThrough(url, port) {
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(port)
  return through.href
}
