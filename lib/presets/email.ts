/** One e-mail to one recipient. */

import { dispatch } from '../default/functions.js'
import type { DispatchOptions, DispatchResult } from '../dispatch/types.js'
import type { Message } from '../message/message.js'
import { type BuildOptions, build, withoutUndefined } from './build.js'

/** The payload of an `EmailMessage`. */
export type EmailPayload = {
  /** The e-mail's row: the message's idempotency key comes from it. */
  emailId: string
  /** The user it belongs to. */
  userId: string
  /** The mailbox it is sent from. */
  mailboxId: string
  /** The recipient's address. */
  toEmail: string
  /** The subject line. */
  subject: string
  /** The body. */
  html: string
  /** The sender's name. */
  fromName?: string
  /** The sender's address. */
  fromEmail?: string
  /** The campaign it belongs to. */
  campaignId?: string
  /** The recipient inside the campaign. */
  campaignRecipientId?: string
}

/** An e-mail to be sent. */
export interface EmailMessage extends Message {
  type: 'EmailMessage'
  payload: EmailPayload
}

/** What {@link buildEmailMessage} takes. */
export type EmailMessageParams = EmailPayload & BuildOptions

/**
 * An `EmailMessage`, dispatched with priority 7 unless `priority` says otherwise.
 *
 * Its idempotency key is `email:<emailId>`: an e-mail has one row, and is sent once.
 */
export function buildEmailMessage(params: EmailMessageParams): EmailMessage {
  const { priority = 7, scheduledAt, idempotencyKey = `email:${params.emailId}`, ...payload } = params
  const message: EmailMessage = { type: 'EmailMessage', payload: withoutUndefined(payload) }
  return build(message, { priority, scheduledAt, idempotencyKey })
}

/** Builds and dispatches an {@link EmailMessage}. */
export async function dispatchEmailMessage(
  params: EmailMessageParams,
  options?: DispatchOptions,
): Promise<DispatchResult> {
  return dispatch(buildEmailMessage(params), options)
}
