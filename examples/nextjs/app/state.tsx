import type { Row } from '@/lib/shown'

/** What has become of a message, in words. */
export function State({ state, runsIn, failedRuns }: Row) {
  const text = {
    due: 'due',
    retrying: `retry ${failedRuns} in ${Math.max(0, Math.ceil(runsIn ?? 0))} s`,
    later: `runs in ${Math.max(0, Math.ceil(runsIn ?? 0))} s`,
    running: 'running',
    done: failedRuns > 0 ? `done at run ${failedRuns + 1}` : 'done',
    failed: 'dead letter',
    cancelled: 'cancelled',
  }
  return <span className={`state ${state}`}>{text[state]}</span>
}
