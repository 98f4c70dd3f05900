/** The body of a request: read up to a limit, and no further. */
import { badRequest, RequestProblem } from '../responses/problem.js'
import { BECAUSE, readFields } from './fields.js'

/** The largest body of endpoints that take settings and filters, in bytes. */
export const SMALL_BODY = 64 * 1_024

/**
 * How much of an oversized body is read and discarded, in bytes: many clients look for an answer only after sending
 * everything, and find a broken connection if the server has hung up before. A body with a known length gets more.
 */
const DISCARDED = { declared: 64 * 1_024 * 1_024, streamed: 2 * 1_024 * 1_024 }

/** How long that may take in total, and how long it waits for the next chunk. */
const DISCARD_MS = 20_000
const SILENCE_MS = 5_000

/** A body: the object in it, and its text. */
export interface JsonBody {
  value: Record<string, unknown>
  text: string
}

/** A body as a JSON object. An empty one is `undefined`. */
export async function readJson(request: Request, maxBytes: number): Promise<Record<string, unknown> | undefined> {
  return (await readBody(request, maxBytes))?.value
}

/** A body as a JSON object and as the text that was sent. An empty one is `undefined`. */
export async function readBody(request: Request, maxBytes: number): Promise<JsonBody | undefined> {
  const bytes = await readBytes(request, maxBytes)
  if (bytes.length === 0) return undefined
  refuseOtherTypes(request)
  const text = decode(bytes)
  return { value: asObject(parse(text)), text }
}

/** Who does it and why, as a body without anything else says it. */
export async function saidIn(request: Request): Promise<{ actor?: string; reason?: string }> {
  return readFields((await readJson(request, SMALL_BODY)) ?? {}, BECAUSE)
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array()
  const reader = (request.body as ReadableStream<Uint8Array>).getReader()
  try {
    return await readUpTo(reader, maxBytes, declaredLength(request))
  } finally {
    // Not cancelled: streams that are fed from a socket, those of Next.js and of Node.js among them, throw where nobody
    // catches it when the next piece arrives. What nobody reads is not asked for.
    reader.releaseLock()
  }
}

function declaredLength(request: Request): number | undefined {
  const length = request.headers.get('content-length')
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

type Reader = ReadableStreamDefaultReader<Uint8Array>

async function readUpTo(reader: Reader, maxBytes: number, declared: number | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  while (length <= maxBytes && (declared ?? 0) <= maxBytes) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    length += value.length
    chunks.push(value)
  }
  if (declared === undefined) await discard(reader, Math.min(DISCARDED.streamed, maxBytes))
  else if (declared <= DISCARDED.declared) await discard(reader, DISCARDED.declared)
  throw tooLarge(maxBytes, declared)
}

/** Reads on to the end of the body, within limits. */
async function discard(reader: Reader, most: number): Promise<void> {
  const end = Date.now() + DISCARD_MS
  for (let length = 0; length < most && Date.now() < end; ) {
    const piece = await orSilence(reader.read())
    if (piece === undefined || piece.done) return
    length += piece.value.length
  }
}

async function orSilence<T>(reading: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, SILENCE_MS, undefined)
  })
  try {
    return await Promise.race([reading, silence])
  } catch {
    // The sender has gone.
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

function tooLarge(maxBytes: number, declared: number | undefined): RequestProblem {
  const found = declared === undefined ? 'more' : `${declared} bytes`
  const message = `the body is too large: got ${found}, at most ${maxBytes} bytes are read here`
  return new RequestProblem(413, 'SYMPHONY_BODY_TOO_LARGE', message)
}

function refuseOtherTypes(request: Request): void {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (/^application\/(?:[\w.-]+\+)?json$/.test(type)) return
  const found = type === '' ? 'none' : JSON.stringify(type.slice(0, 100))
  const message = `the content type: got ${found}, wants application/json`
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
    throw badRequest(`the body is not JSON: ${reason(error as SyntaxError)}`)
  }
}

/** Where parsing fails, without the text that Node.js quotes: a payload may be secret. */
function reason(error: SyntaxError): string {
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(error.message)
  return place === null ? 'it ends too early, or holds what JSON does not know' : `it breaks off ${place[0]}`
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  const found = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`
  throw badRequest(`the body: got ${found}, wants a JSON object`)
}
