/** Triggers that name what they trigger: the first delivery of an execution runs, the others do nothing. */
import { getCore } from '../core.js'
import { awaitNative } from '../native-error.js'
import { readJson, SMALL_BODY } from './body.js'
import { readFields, text } from './fields.js'

/** What more than the work itself an execution may take before it counts as dead. */
const GRACE_MS = 15_000

/** The id that a request gives: in the body as `executionId`, or in the header `x-execution-id`. Triggers add more. */
export async function executionIdOf(request: Request): Promise<string | undefined> {
  const body = request.method === 'POST' ? await readJson(request, SMALL_BODY) : undefined
  const executionId = body?.executionId ?? request.headers.get('x-execution-id') ?? undefined
  return readFields({ executionId }, { executionId: text() }).executionId
}

/**
 * Does the work of an execution, unless another delivery of it has done it, or is doing it.
 *
 * @param timeLimit milliseconds that the work takes at most. A run that has not ended a little later has died, and the
 * next delivery takes its place.
 * @returns what the work returned; `undefined` when there was nothing to do.
 */
export async function once<T>(
  route: string,
  id: string | undefined,
  timeLimit: number,
  work: () => Promise<T>,
): Promise<T | undefined> {
  if (id === undefined) return work()
  const execution = JSON.stringify({ route, id, lease: Math.ceil(timeLimit) + GRACE_MS })
  if (!(await awaitNative(() => getCore().beginExecution(execution)))) return undefined
  let done = false
  try {
    const result = await work()
    done = true
    return result
  } finally {
    await awaitNative(() => getCore().endExecution(execution, done)).catch(() => undefined)
  }
}
