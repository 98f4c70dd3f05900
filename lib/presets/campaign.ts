/** A step in the life of a campaign. */

import { dispatch } from '../default/functions.js'
import type { DispatchOptions, DispatchResult } from '../dispatch/types.js'
import type { Message } from '../message/message.js'
import { type BuildOptions, build, withoutUndefined } from './build.js'

/** What to do: process the whole campaign, send one step, or finish. */
export type CampaignAction = 'process' | 'send_step' | 'complete'

/** The payload of a `CampaignMessage`. */
export type CampaignPayload = {
  /** The campaign it belongs to. */
  campaignId: string
  /** The user it belongs to. */
  userId: string
  /** What to do. */
  action: CampaignAction
  /** The recipient it is about. */
  recipientId?: string
  /** The step it is about. */
  stepNumber?: number
}

/** Work for a campaign. */
export interface CampaignMessage extends Message {
  type: 'CampaignMessage'
  payload: CampaignPayload
}

/** What {@link buildCampaignMessage} takes. */
export type CampaignMessageParams = CampaignPayload & BuildOptions

/**
 * A `CampaignMessage`, dispatched with priority 5 unless `priority` says otherwise.
 *
 * Its idempotency key is `campaign:<campaignId>:<action>:<recipientId>:<stepNumber>` if recipient and step are both
 * given: that is one unit of work, done once. Without either, the same message is rightly dispatched again and again (a
 * campaign is processed every few minutes), so it has no key.
 */
export function buildCampaignMessage(params: CampaignMessageParams): CampaignMessage {
  const { priority = 5, scheduledAt, idempotencyKey = keyOf(params), ...payload } = params
  const message: CampaignMessage = { type: 'CampaignMessage', payload: withoutUndefined(payload) }
  return build(message, { priority, scheduledAt, idempotencyKey })
}

function keyOf({ campaignId, action, recipientId, stepNumber }: CampaignMessageParams): string | undefined {
  if (recipientId === undefined || stepNumber === undefined) return undefined
  return `campaign:${campaignId}:${action}:${recipientId}:${stepNumber}`
}

/** Builds and dispatches a {@link CampaignMessage}. */
export async function dispatchCampaignMessage(
  params: CampaignMessageParams,
  options?: DispatchOptions,
): Promise<DispatchResult> {
  return dispatch(buildCampaignMessage(params), options)
}
