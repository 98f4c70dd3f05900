/** The body of a request: read up to a limit, and no further. */
import { badRequest, RequestProblem } from './problem.js'

/** The largest body of endpoints that take settings and filters, in bytes. */
export const SMALL_BODY = 64 * 1_024

/** A body as a JSON object. An empty one is `undefined`. */
export async function readJson(request: Request, maxBytes: number): Promise<Record<string, unknown> | undefined> {
  const bytes = await readBytes(request, maxBytes)
  if (bytes.length === 0) return undefined
  refuseOtherTypes(request)
  return asObject(parse(decode(bytes)))
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  if (request.body === null) return new Uint8Array()
  const reader = (request.body as ReadableStream<Uint8Array>).getReader()
  try {
    return await readUpTo(reader, maxBytes)
  } finally {
    // Not cancelled: streams that are fed from a socket, those of Next.js and of Node.js among them, throw where nobody
    // catches it when the next piece arrives. What nobody reads is not asked for.
    reader.releaseLock()
  }
}

async function readUpTo(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for (let length = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    length += value.length
    if (length > maxBytes) throw tooLarge(maxBytes)
    chunks.push(value)
  }
}

function tooLarge(maxBytes: number): RequestProblem {
  return new RequestProblem(413, 'SYMPHONY_BODY_TOO_LARGE', `the body is larger than ${maxBytes} bytes`)
}

function refuseOtherTypes(request: Request): void {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (/^application\/(?:[\w.-]+\+)?json$/.test(type)) return
  const found = type === '' ? 'none' : JSON.stringify(type)
  const message = `the content type must be application/json, got ${found}`
  throw new RequestProblem(415, 'SYMPHONY_UNSUPPORTED_MEDIA_TYPE', message)
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw badRequest('the body is not UTF-8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`the body is not JSON: ${(error as SyntaxError).message}`)
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw badRequest('the body must be a JSON object')
}
