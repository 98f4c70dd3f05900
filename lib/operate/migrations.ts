/** The tables of the Postgres transport. */
import { checked, whole, words } from '../base/options.js'
import type { Core } from '../core/core.js'

/** One step of the schema. */
export interface Migration {
  /** Counts from 1. */
  version: number
  /** The name of its files. */
  name: string
}

/** The state of the schema. */
export interface MigrationStatus {
  /** The version in the database; 0: none. */
  version: number
  /** The version that this package needs. */
  latest: number
  /** What `migrate()` would do. */
  pending: Migration[]
}

/** The tables of an instance. */
export interface MigrationFunctions {
  /**
   * Brings the tables to the version that this package needs. Safe to call from several processes at once, and if there
   * is nothing to do.
   *
   * @param options.schema the schema of the tables, instead of `database.schema`.
   */
  migrate(options?: { schema?: string }): Promise<{ applied: Migration[]; version: number }>

  /**
   * Reverts migrations, newest first. Messages in dropped tables are lost.
   *
   * @param options.to the version to end at; 0 removes everything.
   */
  rollback(options: { to: number }): Promise<{ reverted: Migration[]; version: number }>

  /** The state of the schema, without changing it. */
  migrationStatus(): Promise<MigrationStatus>
}

/** The functions over a core. */
export function migrationFunctions(core: Core): MigrationFunctions {
  return {
    async migrate(options: { schema?: string } = {}): Promise<{ applied: Migration[]; version: number }> {
      const asked = JSON.stringify(checked(options, { schema: words }))
      return core.ask((it) => it.migrate(asked))
    },
    async rollback(options: { to: number }): Promise<{ reverted: Migration[]; version: number }> {
      const asked = JSON.stringify(checked(options, { to: whole(0, 2 ** 31 - 1) }))
      return core.ask((it) => it.rollback(asked))
    },
    async migrationStatus(): Promise<MigrationStatus> {
      return core.ask((it) => it.migrationStatus())
    },
  }
}
