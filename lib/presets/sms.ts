/** One SMS to one number. */

import { dispatch } from '../default/functions.js'
import type { DispatchOptions, DispatchResult } from '../dispatch/types.js'
import type { Message } from '../message/message.js'
import { type BuildOptions, build, withoutUndefined } from './build.js'

/** The payload of an `SMSMessage`. */
export type SMSPayload = {
  /** The recipient's number. */
  to: string
  /** The text. */
  message: string
  /** The campaign it belongs to. */
  campaignId?: string
  /** The user it belongs to. */
  userId?: string
}

/** An SMS to be sent. */
export interface SMSMessage extends Message {
  type: 'SMSMessage'
  payload: SMSPayload
}

/** What {@link buildSMSMessage} takes. */
export type SMSMessageParams = SMSPayload & BuildOptions

/**
 * An `SMSMessage`, dispatched with priority 6 unless `priority` says otherwise.
 *
 * It has no idempotency key: a drip rightly sends one number several messages, even the same text twice, so nothing in
 * the payload distinguishes a repetition from a second message. Pass `idempotencyKey` if something does.
 */
export function buildSMSMessage(params: SMSMessageParams): SMSMessage {
  const { priority = 6, scheduledAt, idempotencyKey, ...payload } = params
  const message: SMSMessage = { type: 'SMSMessage', payload: withoutUndefined(payload) }
  return build(message, { priority, scheduledAt, idempotencyKey })
}

/** Builds and dispatches an {@link SMSMessage}. */
export async function dispatchSMSMessage(params: SMSMessageParams, options?: DispatchOptions): Promise<DispatchResult> {
  return dispatch(buildSMSMessage(params), options)
}
