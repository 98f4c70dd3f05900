import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A wire between this process and a server, that can fail as wires do. */
export interface Relay {
  /** The server's URL, over the wire. */
  readonly url: string
  /** From now on nothing comes through, and nobody is told: connections stay open, new ones are taken. */
  freeze(): void
  /** What was held back comes through. */
  thaw(): void
  /** All connections break. */
  cut(): void
  /** The next answer of the server breaks off in the middle, and its connection with it. */
  tearAnswer(): void
  /** What is open now says nothing any more, forever; new connections come through, as to the heir of a lost host. */
  silence(): void
  /** The next thing that the server says is lost, and the connection with it: what it was asked to do is done. */
  loseAnswer(): void
  /** How many connections there are that were not silenced. */
  connections(): number
}

/** Starts a relay on a port of its own; it ends with the test. */
export async function startRelay(serverUrl: string): Promise<Relay> {
  const target = new URL(serverUrl)
  const sockets = new Set<Socket>()
  const silent = new Set<Socket>()
  let frozen = false
  let tearing = false
  let losing = false
  const server = createServer((socket) => {
    const onward = connect({ host: target.hostname, port: Number(target.port || 5432) })
    for (const [side, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(side)
      side.on('data', (data) => {
        if (side === onward && losing) {
          losing = false
          side.destroy()
        } else if (side === onward && tearing) {
          tearing = false
          other.end(data.subarray(0, data.length / 2), () => side.destroy())
        } else {
          other.write(data)
        }
      })
      side.on('error', () => other.destroy())
      side.on('close', () => {
        sockets.delete(side)
        other.destroy()
      })
      if (frozen) side.pause()
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    server.close()
    cut()
    for (const socket of silent) socket.destroy()
  })
  const url = new URL(serverUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  return {
    url: url.href,
    cut,
    tearAnswer: () => {
      tearing = true
    },
    silence: () => {
      for (const socket of sockets) silent.add(socket.pause())
      sockets.clear()
      frozen = false
    },
    loseAnswer: () => {
      losing = true
    },
    connections: () => sockets.size / 2,
    freeze: () => {
      frozen = true
      for (const socket of sockets) socket.pause()
    },
    thaw: () => {
      frozen = false
      for (const socket of sockets) socket.resume()
    },
  }
}
