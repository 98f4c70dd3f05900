/** One e-mail to one recipient. */
import type { DispatchOptions, DispatchResult } from '../dispatch-types.js'
import { dispatch } from '../dispatcher.js'
import type { Message } from '../message.js'
import { type BuildOptions, build, withoutUndefined } from './build.js'

/** The payload of an `EmailMessage`. */
export interface EmailPayload extends Record<string, unknown> {
  emailId: string
  userId: string
  mailboxId: string
  toEmail: string
  subject: string
  html: string
  fromName?: string
  fromEmail?: string
  campaignId?: string
  campaignRecipientId?: string
}

/** An e-mail to be sent. */
export interface EmailMessage extends Message {
  type: 'EmailMessage'
  payload: EmailPayload
}

/** What {@link buildEmailMessage} takes. */
export interface EmailMessageParams extends BuildOptions {
  emailId: string
  userId: string
  mailboxId: string
  toEmail: string
  subject: string
  html: string
  fromName?: string
  fromEmail?: string
  campaignId?: string
  campaignRecipientId?: string
}

/**
 * An `EmailMessage`, to be dispatched with priority 7 unless `priority` says otherwise.
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
