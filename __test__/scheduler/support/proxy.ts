import { connect, createServer, type Socket } from 'node:net'

/** Where a process is killed: before a statement has left it, or when its answer has come and was not read. */
export interface Point {
  statement: number
  when: 'before' | 'after'
}

/**
 * A proxy before Postgres that counts what the client sends up to each Sync or simple query, which is one statement or
 * one step of it, and calls `strike` at a point of its choice. What is held back then never arrives.
 */
export async function startProxy(server: URL, point: Point | undefined, strike: () => void) {
  let statements = 0
  // Counted apart: several statements may be on their way at once.
  let answers = 0
  let struck = false
  const sockets: Socket[] = []
  const proxy = createServer((client) => {
    const upstream = connect(Number(server.port || 5432), server.hostname)
    sockets.push(client, upstream)
    let ready = false
    const hit = (): void => {
      struck = true
      strike()
    }
    const fromClient = frames((type, bytes) => {
      if (struck) return
      const ends = type === 'S' || type === 'Q'
      if (ends) statements += 1
      if (ends && point?.when === 'before' && statements === point.statement) return hit()
      upstream.write(bytes)
    })
    const fromServer = frames((type, bytes) => {
      if (struck) return
      if (type === 'Z' && ready) answers += 1
      if (type === 'Z' && ready && point?.when === 'after' && answers === point.statement) return hit()
      if (type === 'Z') ready = true
      client.write(bytes)
    })
    // Until the first ReadyForQuery the client speaks without types.
    client.on('data', (data) => (ready ? fromClient(data) : upstream.write(data)))
    upstream.on('data', fromServer)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const url = new URL(server)
  url.hostname = '127.0.0.1'
  // The proxy has to read what passes.
  url.searchParams.set('sslmode', 'disable')
  url.port = String((proxy.address() as { port: number }).port)
  return {
    url: url.href,
    statements: () => statements,
    close: () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }
}

/** Cuts a stream into messages of Postgres: a type, a length, and the rest. */
function frames(take: (type: string, bytes: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (data) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const length = rest.readInt32BE(1) + 1
      take(String.fromCharCode(rest[0] ?? 0), rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }
}
