/** The package's own endpoints behind a real HTTP server, and a `fetch` that finds them by their path. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSymphonyRoute } from '@leadmap/symphony/next'

const realFetch = globalThis.fetch

/** Serves the endpoints, open to everybody. */
export async function serveRoutes(): Promise<{ fetch: typeof realFetch; close(): void }> {
  const route = createSymphonyRoute({ authorize: () => true })
  const server = createServer(async ({ method, url }, outgoing) => {
    const response = await route.handle(new Request(`http://localhost${url}`, { method }))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    fetch: (input, init) => realFetch(new URL(String(input), base), { ...init, headers: { connection: 'close' } }),
    close: () => server.close(),
  }
}
