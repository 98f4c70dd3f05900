/** Which things a command is about. */
import { EXIT, Exit } from './exit.js'

/** Ids as arguments; `-`: those on stdin, one per line. Each once. */
export async function idsFrom(words: readonly string[]): Promise<string[]> {
  const all = words.includes('-') ? [...words.filter((word) => word !== '-'), ...(await stdin()).split(/\s+/)] : words
  const ids = [...new Set(all.filter((id) => id !== ''))]
  const stray = ids.find((id) => !UUID.test(id))
  if (stray !== undefined) throw new Exit(EXIT.usage, `${stray} is not an id, which is a UUID`)
  return ids
}

/** Everything on stdin. A terminal is not read: nobody would know that it waits. */
export async function stdin(): Promise<string> {
  if (process.stdin.isTTY) throw new Exit(EXIT.usage, '- stands for stdin, and that is a terminal: pipe something in')
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
