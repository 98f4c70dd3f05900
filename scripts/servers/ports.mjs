/** Ports that nobody listens on. */
import { connect, createServer } from 'node:net'

const attempts = 5
const taken = /could not bind|address already in use/i

/** A free one of 127.0.0.1, this one if it is. @param {number} [wanted] @returns {Promise<number>} */
export function freePort(wanted = 0) {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort())))
    probe.listen(wanted, '127.0.0.1', () => {
      const address = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(address.port))
    })
  })
}

/**
 * Starts a server at a place that `choose` finds free; another process may take it between the look and the start, and
 * then it is another place.
 *
 * @template Place, T
 * @param {() => Place | Promise<Place>} choose
 * @param {(place: Place) => Promise<T>} start
 * @returns {Promise<T>}
 */
export async function atFreePlace(choose, start) {
  for (let attempt = 1; ; attempt++) {
    const place = await choose()
    try {
      return await start(place)
    } catch (error) {
      if (attempt === attempts || !taken.test(error.message)) throw error
    }
  }
}

/** Whether somebody listens there. @param {{ host: string, port: number }} place @returns {Promise<boolean>} */
export function accepts(place) {
  return new Promise((resolve) => {
    const socket = connect(place)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
