import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A statement of the Postgres transport, as it stands in its file, for the schema `symphony`. */
export function statement(name: string): string {
  const text = read(name).replaceAll(/^ *:(\w+)$/gm, (_, part) => read(part).trimEnd())
  return text.replaceAll(':"schema"', 'symphony').replaceAll(":'schema'", "'symphony'")
}

/** How a statement of the Postgres transport begins, whatever its schema. */
export function opening(name: string): string {
  return read(name).split('\n', 1).join()
}

function read(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../src/transport/postgres/${name}.sql`, import.meta.url)), 'utf8')
}
