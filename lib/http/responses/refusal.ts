/** What the package refuses because of the request: mistakes of the caller, not of the server. */
import { MessageValidationError, SchedulerError, SerializationError, SymphonyError } from '../../base/errors.js'
import { badRequest, RequestProblem } from './problem.js'

/** A transport that cannot do what was asked. */
const OF_TRANSPORTS = [
  'SYMPHONY_UNKNOWN_TRANSPORT',
  'SYMPHONY_TRANSPORT_DISABLED',
  'SYMPHONY_TRANSPORT_UNSUPPORTED',
  'SYMPHONY_TRANSPORT_NOT_CAPABLE',
]

function isAboutTransport(error: unknown): error is SymphonyError {
  return error instanceof SymphonyError && OF_TRANSPORTS.includes(error.code)
}

/**
 * Awaits a call that got a transport from the request.
 *
 * @throws RequestProblem 400 naming `field`, if the call refuses that transport.
 */
export async function namingTransport<T>(call: Promise<T>, field = 'transport'): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw isAboutTransport(error) ? badRequest(error.message, field) : error
  }
}

/**
 * Awaits a call that got a filter from the request.
 *
 * @throws RequestProblem 400 naming the transport or the query, if the call refuses it.
 */
export async function ofFilter<T>(call: Promise<T>): Promise<T> {
  try {
    return await namingTransport(call)
  } catch (error) {
    if (!(error instanceof SymphonyError) || error.code !== INVALID_QUERY) throw error
    throw new RequestProblem(400, INVALID_QUERY, error.message, { field: 'query', details: error.details })
  }
}

const INVALID_QUERY = 'SYMPHONY_INVALID_QUERY'

/**
 * Awaits a page that may begin at a cursor from the request.
 *
 * @throws RequestProblem 400 naming the cursor, if it is not one that a page ended with.
 */
export async function atCursor<T>(cursor: string | undefined, page: Promise<T>): Promise<T> {
  try {
    return await page
  } catch (error) {
    throw cursor !== undefined && error instanceof SerializationError ? badRequest(error.message, 'cursor') : error
  }
}

/**
 * Awaits an operation on a stored schedule.
 *
 * @throws RequestProblem 409 saying why the stored schedule does not allow it.
 */
export async function ofSchedule<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    const refused = error instanceof SchedulerError || error instanceof MessageValidationError
    if (!refused && !isAboutTransport(error)) throw error
    if (error.code === 'SYMPHONY_UNKNOWN_SCHEDULE') throw error
    throw new RequestProblem(409, 'SYMPHONY_CONFLICT', `the schedule cannot run as it is: ${error.message}`)
  }
}

/** What the package refuses of an operation, a pause or an edit is a mistake of the caller. */
export async function ofOperation<T>(call: Promise<T>): Promise<T> {
  try {
    return await ofFilter(call)
  } catch (error) {
    const isTheirs = error instanceof SymphonyError && error.name === 'ConfigurationError'
    if (!isTheirs || MISCONFIGURED.includes(error.code)) throw error
    throw badRequest(error.message)
  }
}

/** What is wrong with the server, not with the request. */
const MISCONFIGURED = ['SYMPHONY_DATABASE_URL_MISSING']
