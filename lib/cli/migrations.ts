/** Migrations, as the commands that apply and revert them tell of them. */
import type { Migration } from '../admin.js'
import type { Output } from './output.js'

/** What was done, or would be, to which migrations; the version that the tables have now. */
export function report(done: string, migrations: Migration[], version: number, out: Output): void {
  if (out.json !== undefined) {
    out.data({ [done.replaceAll(' ', '_')]: migrations, version })
    return
  }
  for (const migration of migrations) out.print(`${out.paint.green('✓')} ${titled(migration)} ${done}`)
  out.print(`${migrations.length === 0 ? 'nothing to do: ' : ''}tables at version ${version}`)
}

/** `0003 monitoring`. */
export function titled({ version, name }: Migration): string {
  return `${String(version).padStart(4, '0')} ${name.replaceAll('_', ' ')}`
}
