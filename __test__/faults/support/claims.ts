import type { OwnServer } from './own-server.js'
import { opening } from './statements.js'

/** A claim of one message, as the server wrote it down. Instants in milliseconds since the epoch. */
export interface KeptClaim {
  /** The number of the message. */
  n: number
  /** The process of the worker. */
  pid: number
  claimed: number
  /** The statement that ended it, by the name of its file or its first line. */
  endedBy: string | null
  ended: number | null
  /** When the lease had run out that the worker lost, where a rescue has ended the claim. */
  expired: number | null
}

/**
 * The server notes each claim, what ended it, and how each worker lost its row, in the transactions that do it: what is
 * rolled back, or lost in a crash, is not in the books either. Identities rise in the order of the claims of a message.
 */
const SET_UP = `
  CREATE TABLE public.claims (
    place bigint GENERATED ALWAYS AS IDENTITY, n integer, token uuid, worker uuid, pid integer, claimed timestamptz,
    ended_by text, ended timestamptz, PRIMARY KEY (token, n));
  CREATE TABLE public.workers_gone (worker uuid, gone_by text, expired timestamptz, gone timestamptz);
  CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE statement text := split_part(current_query(), E'\\n', 1);
    BEGIN
      IF TG_TABLE_NAME = 'messenger_workers' THEN
        INSERT INTO public.workers_gone VALUES (OLD.id, statement, OLD.lease_until, now());
      ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO public.claims (n, token, worker, pid, claimed)
        SELECT (NEW.body ->> 'n')::integer, NEW.locked_by, id, pid, now()
        FROM symphony.messenger_workers WHERE id = NEW.worker_id;
      ELSE
        UPDATE public.claims SET ended_by = statement, ended = now()
        WHERE token = OLD.locked_by AND n = (OLD.body ->> 'n')::integer;
      END IF;
      RETURN NULL;
    END $$;
  CREATE TRIGGER note AFTER DELETE ON symphony.messenger_workers FOR EACH ROW EXECUTE FUNCTION public.note();
  CREATE TRIGGER note_blamed AFTER UPDATE ON symphony.messenger_workers
    FOR EACH ROW WHEN (NEW.in_flight < 0) EXECUTE FUNCTION public.note();
  CREATE TRIGGER note AFTER INSERT OR DELETE ON symphony.messenger_messages_processing
    FOR EACH ROW EXECUTE FUNCTION public.note();`

/** What a rescue took from a worker without row was held by the one that lost it in an earlier step. */
const READ = `
  SELECT n, pid, ended_by AS "endedBy", ${millis('claimed')} AS claimed, ${millis('ended')} AS ended,
         (SELECT ${millis('gone.expired')} FROM public.workers_gone gone
          WHERE gone.worker = claim.worker AND gone.gone_by = $1 AND gone.gone BETWEEN claim.claimed AND claim.ended
          ORDER BY gone.gone DESC LIMIT 1) AS expired
  FROM public.claims claim
  ORDER BY place`

const STATEMENTS = ['rescue', 'reconcile', 'settle_finish', 'settle_return', 'settle_bury']

/** From now on the server notes who holds what. */
export async function noteClaims({ query }: Pick<OwnServer, 'query'>): Promise<void> {
  await query(SET_UP)
}

/** All claims by the number of their message, in their order. */
export async function readClaims({ query }: Pick<OwnServer, 'query'>): Promise<Map<number, KeptClaim[]>> {
  const names = new Map(STATEMENTS.map((name) => [opening(name), name]))
  const claims = await query<KeptClaim & Record<string, unknown>>(READ, [opening('rescue')])
  const named = claims.map((it) => ({ ...it, endedBy: it.endedBy && (names.get(it.endedBy) ?? it.endedBy) }))
  const byNumber = new Map<number, KeptClaim[]>()
  for (const claim of named) byNumber.set(claim.n, [...(byNumber.get(claim.n) ?? []), claim])
  return byNumber
}

function millis(instant: string): string {
  return `floor(extract(epoch FROM ${instant}) * 1000)::float8`
}
