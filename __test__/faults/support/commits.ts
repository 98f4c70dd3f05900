import pg from 'pg'
import { afterAll } from 'vitest'
import type { OwnServer } from './own-server.js'
import { opening } from './statements.js'
import { until } from './until.js'

/** Where a statement is held. */
export type Place = 'before it writes' | 'in its commit'

/**
 * Holds statements of the package on their way: before they have written anything, or inside COMMIT, where they are
 * written and nobody sees them yet. Nothing but Postgres does it, with what an fsync or a synchronous replica does that
 * takes its time.
 */
export interface Commits {
  /** From now on each statement of this name is held; in its commit only if it has written to the table, where one is named. */
  hold(statement: string, place: Place, table?: string): Promise<void>
  /** How many are held right now. */
  held(): Promise<number>
  /** Lets what is held not even hear that it is cancelled, as an fsync does not that takes its time. */
  stall(): Promise<void>
  /** Holds no more; what is held stays so. */
  holdNoMore(): Promise<void>
  /** Holds no commits any more: those go on, and what is held before it writes stays so. */
  letCommit(): Promise<void>
  /** Holds no more; what is held goes on, and commits. */
  letGo(): Promise<void>
}

/** Any number; the key of the lock that statements wait for. */
const GATE = 7_251

/**
 * No replica has this name, so a commit that waits for replicas waits until it is cancelled, which leaves it committed.
 * Every session asks for that only in transactions in which the trigger says so.
 */
export const HELD_COMMITS = { synchronous_standby_names: 'nobody', synchronous_commit: 'local' }

const SET_UP = `
  CREATE TABLE public.held (opening text NOT NULL, place text NOT NULL, relation text);
  CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE place text;
    BEGIN
      SELECT h.place INTO place FROM public.held h
      WHERE starts_with(current_query(), h.opening) AND coalesce(h.relation, TG_TABLE_NAME) = TG_TABLE_NAME;
      IF place = 'before it writes' AND TG_LEVEL = 'STATEMENT' THEN PERFORM pg_advisory_xact_lock(${GATE}); END IF;
      IF place = 'in its commit' AND TG_LEVEL = 'ROW' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
      RETURN NULL;
    END $$;
  DO $$
    DECLARE it regclass;
    BEGIN
      FOR it IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'symphony' AND c.relkind = 'r' AND c.relname LIKE 'messenger\\_%' LOOP
        EXECUTE format('CREATE TRIGGER hold BEFORE INSERT OR UPDATE OR DELETE ON %s
                        FOR EACH STATEMENT EXECUTE FUNCTION public.hold()', it);
        EXECUTE format('CREATE TRIGGER hold_commit AFTER INSERT OR UPDATE OR DELETE ON %s
                        FOR EACH ROW EXECUTE FUNCTION public.hold()', it);
      END LOOP;
    END $$;`

const WAITS = `(wait_event = 'SyncRep' OR (wait_event_type = 'Lock' AND wait_event = 'advisory'))`

/** Prepares a server that was started with {@link HELD_COMMITS}, and whose tables are there. */
export async function holdCommits(server: Pick<OwnServer, 'url' | 'query'>): Promise<Commits> {
  await server.query(SET_UP)
  const gatekeeper = new pg.Client(server.url)
  gatekeeper.on('error', () => {})
  await gatekeeper.connect()
  afterAll(() => gatekeeper.end())
  await gatekeeper.query('SELECT pg_advisory_lock($1)', [GATE])
  const waiting = () => server.query<{ pid: number }>(`SELECT pid FROM pg_stat_activity WHERE ${WAITS}`)
  const stalled: number[] = []
  const commits: Commits = {
    hold: async (statement, place, table) => {
      await server.query('INSERT INTO public.held VALUES ($1, $2, $3)', [opening(statement), place, table])
    },
    held: async () => (await waiting()).length,
    stall: async () => {
      for (const { pid } of await waiting()) {
        process.kill(pid, 'SIGSTOP')
        stalled.push(pid)
      }
    },
    holdNoMore: () => server.query('DELETE FROM public.held').then(() => undefined),
    letCommit: async () => {
      await server.query(`DELETE FROM public.held WHERE place = 'in its commit'`)
      await server.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
    },
    letGo: async () => {
      await commits.holdNoMore()
      for (const pid of stalled.splice(0)) process.kill(pid, 'SIGCONT')
      await gatekeeper.query('SELECT pg_advisory_unlock($1)', [GATE])
      await until('nothing is held any more', async () => {
        await server.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
        return (await waiting()).length === 0
      })
      await gatekeeper.query('SELECT pg_advisory_lock($1)', [GATE])
    },
  }
  return commits
}

/** Holds every commit of a server, whatever its sessions ask for. Reading goes on. */
export function holdAllCommits(server: Pick<OwnServer, 'query'>): Promise<void> {
  return configure(server, "SET synchronous_standby_names = 'nobody'")
}

/** Lets them go: what was held commits. */
export function letAllCommitsGo(server: Pick<OwnServer, 'query'>): Promise<void> {
  return configure(server, 'RESET synchronous_standby_names')
}

/** Neither statement writes a row, so neither waits for what it holds. ALTER SYSTEM wants no transaction around it. */
async function configure({ query }: Pick<OwnServer, 'query'>, change: string): Promise<void> {
  await query(`ALTER SYSTEM ${change}`)
  await query('SELECT pg_reload_conf()')
}
