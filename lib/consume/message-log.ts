/** The log lines about messages. Their fields keep their names; a payload is in none of them. */

import { getLogger, type LogFields } from '../base/logger.js'
import type { DeliveryContext } from '../handlers/context.js'
import type { Settlement } from '../handlers/delivery.js'
import { noteFailure } from '../notifications/notifier.js'

/** Writes how a message ended: failures always, everything else if details are wanted. */
export function logOutcome(context: DeliveryContext, durationMs: number, settlement: Settlement | undefined): void {
  const logger = getLogger()
  if (settlement?.as === 'failed') {
    logFailure(context, durationMs, settlement)
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
export function logBurial({ id: messageId, type: messageType, transport, queue, crashes, error }: BuriedMessage): void {
  noteFailure({ severity: 'error', messageType, errorClass: error.class, messageId, transport })
  const fields = { event: 'message.deadLettered', messageId, messageType, transport, queue, crashes }
  getLogger().error('a message is a dead letter now: the process died whenever it ran', {
    ...fields,
    errorClass: error.class,
  })
}

type Failed = Extract<Settlement, { as: 'failed' }>

function logFailure(context: DeliveryContext, durationMs: number, { retryable, error }: Failed): void {
  const again = retryable && context.retryCount < context.maxRetries
  const { id: messageId, transportName: transport } = context
  const messageType = context.delivery.type
  noteFailure({ severity: again ? 'warning' : 'error', messageType, errorClass: error.class, messageId, transport })
  const fields = fieldsOf(again ? 'message.retried' : 'message.deadLettered', context, durationMs)
  const facts = { ...fields, errorClass: error.class }
  if (again) getLogger().info('a message failed and will run again', facts)
  else getLogger().error('a message failed and is a dead letter now', facts)
}

function fieldsOf(event: string, context: DeliveryContext, durationMs: number): LogFields {
  const { id: messageId, transportName: transport, attempt, traceId } = context
  const rounded = Math.round(durationMs * 1_000) / 1_000
  const messageType = context.delivery.type
  return { event, messageId, messageType, transport, attempt, durationMs: rounded, traceId }
}
