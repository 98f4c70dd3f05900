/** The tables of the Postgres transport. */
import { getCore } from '../core/core.js'
import { awaitNative } from '../core/native-error.js'

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

/**
 * Brings the tables to the version that this package needs. Safe to call from several processes at once, and if there
 * is nothing to do.
 *
 * @param options.schema the schema of the tables, instead of `database.schema`.
 */
export async function migrate(options: { schema?: string } = {}): Promise<{ applied: Migration[]; version: number }> {
  return JSON.parse(await awaitNative(async () => getCore().migrate(JSON.stringify(options))))
}

/**
 * Reverts migrations, newest first. Messages in dropped tables are lost.
 *
 * @param options.to the version to end at; 0 removes everything.
 */
export async function rollback(options: { to: number }): Promise<{ reverted: Migration[]; version: number }> {
  return JSON.parse(await awaitNative(async () => getCore().rollback(JSON.stringify(options))))
}

/** The state of the schema, without changing it. */
export async function migrationStatus(): Promise<MigrationStatus> {
  return JSON.parse(await awaitNative(async () => getCore().migrationStatus()))
}
