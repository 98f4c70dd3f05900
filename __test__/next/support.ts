/** Requests as clients send them. */

export const SECRET = 'a-secret-of-more-than-sixteen-characters'

/** A request to a path below the site. */
export function request(path: string, init: RequestInit & { token?: string; json?: unknown } = {}): Request {
  const { token = SECRET, json, ...rest } = init
  const headers = new Headers(rest.headers)
  if (token !== '') headers.set('authorization', `Bearer ${token}`)
  if (json !== undefined) headers.set('content-type', 'application/json')
  const body = json === undefined ? rest.body : JSON.stringify(json)
  const streamed = body instanceof ReadableStream ? { duplex: 'half' } : {}
  return new Request(new URL(path, 'https://app.example.com'), { ...rest, ...streamed, headers, body } as RequestInit)
}

/** A response as status and body. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
export async function read(response: Response | Promise<Response>): Promise<{ status: number; body: any }> {
  const answer = await response
  return { status: answer.status, body: await answer.json() }
}
