/** Messages as the page shows them; pure. */
import type { FailedMessage, QueuedMessage } from '@leadmap/symphony/admin'

export type State = 'due' | 'retrying' | 'later' | 'running' | 'done' | 'failed' | 'cancelled'

/** A line of the list. */
export interface Row {
  id: string
  type: string
  to: string
  state: State
  /** Seconds until its next run; `null`: none is to come, or it is due. */
  runsIn: number | null
  failedRuns: number
  lastError: string | null
}

/** What the drawer shows; dates in ISO 8601. */
export interface Detail extends Row {
  queue: string
  priority: number
  createdAt: string
  finishedAt: string | null
  /** The runs that failed, oldest first. */
  runs: Array<{ at: string; error: string }>
  payload: object
  /** The dead letter, if it is one. */
  letter: string | null
}

export function rowOf(message: QueuedMessage, now = Date.now()): Row {
  const { id, type, payload, lastError, errorHistory } = message
  const wait = message.availableAt.getTime() - now
  const state = stateOf(message, wait)
  const runsIn = state === 'retrying' || state === 'later' ? wait / 1_000 : null
  return { id, type, to: addressee(payload), state, runsIn, failedRuns: errorHistory.length, lastError }
}

function stateOf({ status, retryCount }: QueuedMessage, wait: number): State {
  if (status === 'processing') return 'running'
  if (status === 'completed' || status === 'discarded') return 'done'
  if (status !== 'pending') return status
  return wait <= 0 ? 'due' : retryCount > 0 ? 'retrying' : 'later'
}

export function rowOfLetter({ messageId, type, payload, error, errorHistory }: FailedMessage): Row {
  const to = addressee(payload)
  return { id: messageId, type, to, state: 'failed', runsIn: null, failedRuns: errorHistory.length, lastError: error }
}

export function detailOf(message: QueuedMessage): Detail {
  const { queue, priority, payload, failedMessageId, errorHistory } = message
  return {
    ...rowOf(message),
    queue,
    priority,
    createdAt: message.createdAt.toISOString(),
    finishedAt: message.finishedAt?.toISOString() ?? null,
    runs: errorHistory.map((run) => ({ at: run.at.toISOString(), error: `${run.class}: ${run.message}` })),
    payload,
    letter: failedMessageId,
  }
}

/** Whom the three kinds of messages are for. */
function addressee({ toEmail, to, action }: Record<string, unknown>): string {
  return String(toEmail ?? to ?? action ?? '')
}
