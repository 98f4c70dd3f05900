/** A wire to Postgres that can be cut after a statement has gone through and before its answer comes back. */
import { connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  /** The URL that leads through it. */
  url: string
  /** Cuts so many connections, each when the server answers a statement with this text in it. */
  cutAfter(statement: string, times?: number): void
  close(): void
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const url = new URL(target)
  const to = { host: url.hostname, port: Number(url.port) }
  const sockets = new Set<Socket>()
  let cut: { statement: string; left: number } | undefined

  const server = createServer((client) => {
    const upstream = connect(to)
    let armed = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.on('data', (data) => {
      if (cut !== undefined && cut.left > 0 && data.includes(cut.statement)) {
        cut.left -= 1
        armed = true
      }
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      // The server is ready again ('Z'): the statement is done and committed.
      if (armed && data.subarray(-6, -5).toString() === 'Z') client.destroy()
      else if (!armed) client.write(data)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  // It has to read along.
  url.searchParams.set('sslmode', 'disable')
  return {
    url: url.href,
    cutAfter: (statement, times = 1) => {
      cut = { statement, left: times }
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
