import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A statement of the Postgres transport, as it stands in its file, for the schema `symphony`. */
export function statement(name: string): string {
  const file = fileURLToPath(new URL(`../../../src/transport/postgres/${name}.sql`, import.meta.url))
  return readFileSync(file, 'utf8').replaceAll(':"schema"', 'symphony').replaceAll(":'schema'", "'symphony'")
}
