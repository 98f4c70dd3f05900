/** The log lines about messages: no payload is in them, and in production no error text. Fields keep their names. */

import type { Log, LogFields } from '../base/logger.js'
import type { DeliveryContext } from '../handlers/context.js'
import type { Settlement } from '../handlers/delivery.js'
import type { FailureObserver } from './failures.js'
import { ShownErrors } from './shown-errors.js'

/** Where it is written, and who else is told. */
export interface MessageLog {
  readonly log: Log
  readonly failures: FailureObserver
}

/** Writes how a message ended: failures always, everything else if details are wanted. */
export function logOutcome(
  to: MessageLog,
  context: DeliveryContext,
  durationMs: number,
  settlement: Settlement | undefined,
): void {
  const logger = to.log.current
  if (settlement?.as === 'failed') {
    logFailure(to, context, durationMs, settlement)
    return
  }
  if (logger.enabled?.('debug') === false) return
  const outcome = settlement?.as ?? 'completed'
  logger.debug(`a message was ${outcome}`, fieldsOf(`message.${outcome}`, context, durationMs))
}

/** A message that became a dead letter because its process died too often while it ran. */
export interface BuriedMessage {
  id: string
  type: string
  transport: string
  queue: string
  /** Failed runs, without crashes. */
  retryCount: number
  crashes: number
  error: { class: string; message: string }
}

/** Writes that a message was buried, and sends notifications: no handler was there to do so. */
export function logBurial({ log, failures }: MessageLog, buried: BuriedMessage): void {
  const { id: messageId, type: messageType, transport, queue, crashes, error } = buried
  failures.note({ severity: 'error', messageType, errorClass: error.class, messageId, transport })
  const fields = { event: 'message.deadLettered', messageId, messageType, transport, queue, crashes }
  log.current.error('a message is a dead letter now: the process died whenever it ran', {
    ...fields,
    errorClass: error.class,
  })
}

/** The errors that each log has shown. */
const shownErrors = new WeakMap<Log, ShownErrors>()

function shownBy(log: Log): ShownErrors {
  const shown = shownErrors.get(log) ?? new ShownErrors()
  shownErrors.set(log, shown)
  return shown
}

type Failed = Extract<Settlement, { as: 'failed' }>

function logFailure(
  { log, failures }: MessageLog,
  context: DeliveryContext,
  durationMs: number,
  { retryable, error }: Failed,
): void {
  const again = retryable && context.retryCount < context.maxRetries
  const { id: messageId, transportName: transport } = context
  const messageType = context.delivery.type
  failures.note({ severity: again ? 'warning' : 'error', messageType, errorClass: error.class, messageId, transport })
  const fields = fieldsOf(again ? 'message.retried' : 'message.deadLettered', context, durationMs)
  const shown = shownBy(log).show(error, performance.now(), process.env.NODE_ENV)
  const facts = { ...fields, errorClass: error.class, ...(shown && { error: shown }) }
  if (again) log.current.warn('a message failed and will run again', facts)
  else log.current.error('a message failed and is a dead letter now', facts)
}

function fieldsOf(event: string, context: DeliveryContext, durationMs: number): LogFields {
  const { id: messageId, transportName: transport, attempt, traceId } = context
  const rounded = Math.round(durationMs * 1_000) / 1_000
  const messageType = context.delivery.type
  const facts = { event, messageId, messageType, transport, attempt, durationMs: rounded }
  return traceId === undefined ? facts : { ...facts, traceId }
}
