import { readStatements } from '../../../scripts/setup/statements.mjs'

const statements = readStatements()

/** A statement of the Postgres backend, as it stands in its file, for the schema `symphony`. */
export function statement(name: string): string {
  return read(name).replaceAll(':"schema"', 'symphony').replaceAll(":'schema'", "'symphony'")
}

/** How a statement of the Postgres backend begins when it runs, whatever its schema. */
export function opening(name: string): string {
  read(name)
  return `/* symphony: ${name} */`
}

function read(name: string): string {
  const found = statements.get(name)
  if (!found) throw new Error(`statement ${name} does not exist`)
  return found.sql
}
