import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { tarballs } from '../../../scripts/test/tools.mjs'

/** The tarballs: of the package, and of this platform's. */
export function packed(): string[] {
  const names = readdirSync(tarballs).filter((name) => name.endsWith('.tgz'))
  return names.sort((left, right) => left.length - right.length).map((name) => join(tarballs, name))
}
