import type { OwnServer } from './own-server.js'

/**
 * Holds every commit of a server inside COMMIT, where it is written and nobody sees it yet, as a slow fsync or a replica
 * that does not answer would: no replica has the name `nobody`. Reading goes on.
 */
export function holdAllCommits(server: Pick<OwnServer, 'query'>): Promise<void> {
  return set(server, "SET synchronous_standby_names = 'nobody'")
}

/** Lets them go: what was held commits. */
export function letAllCommitsGo(server: Pick<OwnServer, 'query'>): Promise<void> {
  return set(server, 'RESET synchronous_standby_names')
}

/** Neither statement writes a row, so neither waits for what it holds. ALTER SYSTEM wants no transaction around it. */
async function set({ query }: Pick<OwnServer, 'query'>, change: string): Promise<void> {
  await query(`ALTER SYSTEM ${change}`)
  await query('SELECT pg_reload_conf()')
}
