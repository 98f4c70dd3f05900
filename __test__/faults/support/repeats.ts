/** Whether a message was rightly run again. Pure. */
import type { KeptClaim } from './claims.js'
import type { Run } from './journal.js'

/** From when to when something did not answer, in milliseconds since the epoch; a process that was killed: forever. */
export interface Standstill {
  from: number
  to: number
}

/** What could not keep a lease. */
export interface Standstills {
  /** When the server did not commit. */
  server: readonly Standstill[]
  /** When a process was stopped or dead, by its name in the journal. */
  processes: ReadonlyMap<string, readonly Standstill[]>
}

/** What a run had to be ended by for another one to be right. */
export type Excuse = 'kill' | 'stop' | 'standstill of the server'

/** A run, and the claim that it came from; `undefined`: the server knows of none. */
interface Claimed {
  run: Run
  claim: KeptClaim | undefined
}

/**
 * Why a message was run more than once: one excuse for each run but that of the last claim. `undefined` stands for none.
 *
 * What counts is the order of the claims, not of the runs: a process that is stopped with a claim in hand, and loses it,
 * begins the run when it goes on, after another one may have run and ended it. Its fence no longer holds then.
 *
 * A run is excused if a rescue has ended its claim, and in the last third of the lease, when a beat is due whatever has
 * failed before, its process or the server stood still.
 */
export function excuses(
  runs: readonly Run[],
  claims: readonly KeptClaim[],
  standstills: Standstills,
  lease: number,
): (Excuse | undefined)[] {
  const claimed = attribute(runs, claims)
  if (claimed.some(({ claim }) => claim === undefined)) return [undefined]
  const place = ({ claim }: Claimed) => claims.indexOf(claim as KeptClaim)
  const earlier = claimed.sort((a, b) => place(a) - place(b)).slice(0, -1)
  return earlier.map(({ run, claim }) => excuse(run, claim as KeptClaim, standstills, lease))
}

/** Each run comes from the last claim of its process before it; no two from the same. */
function attribute(runs: readonly Run[], claims: readonly KeptClaim[]): Claimed[] {
  const left = [...claims]
  return runs.toReversed().map((run) => {
    const at = left.findLastIndex(({ pid, claimed }) => run.who.startsWith(`${pid}-`) && claimed <= run.started)
    return { run, claim: at < 0 ? undefined : left.splice(at, 1)[0] }
  })
}

function excuse(run: Run, claim: KeptClaim, { server, processes }: Standstills, lease: number): Excuse | undefined {
  const { endedBy, expired } = claim
  if (endedBy !== 'rescue' || expired === null) return undefined
  const ranOut = ({ from, to }: Standstill) => from <= expired && to >= expired - lease / 3
  const own = processes.get(run.who)?.filter(ranOut) ?? []
  if (own.length > 0) return own.some(({ to }) => to === Number.POSITIVE_INFINITY) ? 'kill' : 'stop'
  return server.some(ranOut) ? 'standstill of the server' : undefined
}
