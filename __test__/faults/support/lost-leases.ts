import type { Run } from './journal.js'
import type { OwnServer } from './own-server.js'
import { opening } from './statements.js'

/** From when to when a server did not commit, in milliseconds since the epoch. */
export interface Standstill {
  from: number
  to: number
}

/** A claim that a rescue has ended, since the lease of its worker had run out. Instants as above. */
interface LostClaim {
  /** The number of the message. */
  n: number
  /** The process of the worker. */
  pid: number
  claimed: number
  /** When the lease ran out. */
  expired: number
  rescued: number
}

/** The server itself writes it down, in the transaction that rescues. */
const SET_UP = `
  CREATE TABLE public.lost_leases (worker uuid, pid integer, expired timestamptz, rescued timestamptz);
  CREATE TABLE public.lost_claims (n integer, worker uuid, claimed timestamptz, rescued timestamptz);
  CREATE FUNCTION public.note_rescue() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT starts_with(current_query(), '${opening('rescue').replaceAll("'", "''")}') THEN
        RETURN NULL;
      ELSIF TG_TABLE_NAME = 'messenger_workers' THEN
        INSERT INTO public.lost_leases VALUES (OLD.id, OLD.pid, OLD.lease_until, now());
      ELSE
        INSERT INTO public.lost_claims VALUES ((OLD.body ->> 'n')::integer, OLD.worker_id, OLD.locked_at, now());
      END IF;
      RETURN NULL;
    END $$;
  CREATE TRIGGER note_rescue AFTER DELETE ON symphony.messenger_workers
    FOR EACH ROW EXECUTE FUNCTION public.note_rescue();
  CREATE TRIGGER note_rescue AFTER DELETE ON symphony.messenger_messages_processing
    FOR EACH ROW EXECUTE FUNCTION public.note_rescue();`

/** What a rescue took from a worker without row was held by the one that lost it in an earlier step. */
const LOST = `
  SELECT claim.n, lease.pid,
         floor(extract(epoch FROM claim.claimed) * 1000)::float8 AS claimed,
         floor(extract(epoch FROM lease.expired) * 1000)::float8 AS expired,
         floor(extract(epoch FROM claim.rescued) * 1000)::float8 AS rescued
  FROM public.lost_claims claim
  JOIN public.lost_leases lease
    ON lease.worker = claim.worker AND lease.rescued BETWEEN claim.claimed AND claim.rescued`

/** From now on the server notes what rescues take, and from whom. */
export async function noteLostLeases({ query }: Pick<OwnServer, 'query'>): Promise<void> {
  await query(SET_UP)
}

/**
 * Tells of a run, and the next one of the same message, whether the one came after the other because the server stood
 * still: a rescue has taken the claim of the run from its process, the lease had run out, and in the last third of it,
 * when a beat is due whatever has failed before, the server did not commit.
 */
export async function readLostLeases(
  { query }: Pick<OwnServer, 'query'>,
  lease: number,
  standstills: readonly Standstill[],
): Promise<(run: Run, next: Run) => boolean> {
  const claims = await query<LostClaim & Record<string, unknown>>(LOST)
  const stoodStill = ({ expired }: LostClaim) =>
    standstills.some(({ from, to }) => from <= expired && to >= expired - lease / 3)
  const lost = claims.filter(stoodStill)
  return (run, next) =>
    lost.some(
      ({ n, pid, claimed, rescued }) =>
        n === run.n && run.who.startsWith(`${pid}-`) && claimed <= run.started && rescued <= next.started,
    )
}
