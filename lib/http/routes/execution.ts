/** Triggers that name their execution: the first delivery of an execution runs, the others do nothing. */
import type { Core } from '../../core/core.js'
import { awaitNative } from '../../core/native-error.js'
import { readJson, SMALL_BODY } from '../requests/body.js'
import { readFields, text } from '../requests/fields.js'
import { RequestProblem } from '../responses/problem.js'

/** How much longer than the work itself an execution may take before it counts as dead. */
const GRACE_MS = 15_000

/** The id that a request gives: in the body as `executionId`, or in the header `x-execution-id`. Triggers add more. */
export async function executionIdOf(request: Request): Promise<string | undefined> {
  const body = request.method === 'POST' ? await readJson(request, SMALL_BODY) : undefined
  const executionId = body?.executionId ?? request.headers.get('x-execution-id') ?? undefined
  return readFields({ executionId }, { executionId: text() }).executionId
}

/** What a delivery finds: it may run, another one runs for this many milliseconds at most, or all is done. */
type Begun = { runs: number } | { busy: number } | { done: true }

/**
 * Does the work of an execution, unless another delivery of it has done it.
 *
 * @param timeLimit the most milliseconds that the work takes. A run that has not ended a little later has died, and the
 * next delivery takes its place.
 * @returns what the work returned; `undefined` if another delivery has done it.
 * @throws RequestProblem 503 while another delivery is running, with the time after which it has ended or died: nobody
 * knows yet whether it will succeed, so the trigger has to deliver again.
 */
export async function once<T>(
  core: Core,
  route: string,
  id: string | undefined,
  timeLimit: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  if (id === undefined) return work()
  const execution = JSON.stringify({ route, id, lease: Math.ceil(timeLimit) + GRACE_MS })
  const begun = await core.ask<Begun>((it) => it.beginExecution(execution))
  if ('done' in begun) return undefined
  if ('busy' in begun) throw stillRunning(id, begun.busy)
  let done = false
  try {
    const result = await work()
    done = true
    return result
  } finally {
    await awaitNative(() => core.get().endExecution(execution, begun.runs, done)).catch(() => undefined)
  }
}

function stillRunning(id: string, milliseconds: number): RequestProblem {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1_000))
  const message = `execution ${JSON.stringify(id)} is running, or has died: deliver it again in ${seconds} s`
  const headers = { 'retry-after': String(seconds) }
  return new RequestProblem(503, 'SYMPHONY_EXECUTION_RUNNING', message, { field: 'executionId', headers })
}
