/** Calling a schema, and its result as an error of this package. */
import { MessageValidationError, type ValidationIssue } from '../base/errors.js'
import { joinPath } from './json-problem.js'
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js'

/**
 * A payload as the schema returns it. Synchronous if the schema is, so that dispatches of the same turn still share an
 * INSERT.
 *
 * @throws MessageValidationError `SYMPHONY_INVALID_PAYLOAD` with all issues; asynchronous schemas reject with it.
 */
export function parsePayload<Output>(
  schema: StandardSchema<unknown, Output>,
  type: string,
  payload: unknown,
): Output | Promise<Output> {
  const result = schema['~standard'].validate(payload)
  return isPromise(result) ? result.then((settled) => accept(settled, type)) : accept(result, type)
}

/** Whether a value must be awaited. */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function accept<Output>(result: SchemaResult<Output>, type: string): Output {
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(toIssue)
  const summary = issues.map(({ path, message }) => `${path}: ${message}`).join('; ')
  throw new MessageValidationError(`the payload of ${type} does not match its schema: ${summary}`, {
    code: 'SYMPHONY_INVALID_PAYLOAD',
    details: { path: issues[0]?.path ?? 'payload', issues },
  })
}

function toIssue(issue: SchemaIssue): ValidationIssue {
  const keys = (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step))
  const path = keys.reduce<string>(
    (parent, key) => (typeof key === 'number' ? `${parent}[${key}]` : joinPath(parent, String(key))),
    'payload',
  )
  return { path, message: issue.message }
}
