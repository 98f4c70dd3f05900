import { HandlerError, registerHandler } from '@leadmap/symphony'
import { type CampaignMessage, dispatchCampaignMessage } from '@leadmap/symphony/utils'
import { completeCampaign, dispatchDueSteps, isFinished, takeStep } from '../lib/campaigns'
import { handOver } from '../lib/email-queue'

registerHandler<CampaignMessage>(
  'CampaignMessage',
  async ({ payload }) => {
    const { action, campaignId, userId } = payload
    if (action === 'process') {
      await dispatchDueSteps(campaignId)
      if (await isFinished(campaignId)) await dispatchCampaignMessage({ campaignId, userId, action: 'complete' })
    } else if (action === 'send_step') {
      await sendStep(payload)
    } else {
      await completeCampaign(campaignId)
    }
  },
  { name: 'campaign' },
)

/** Both halves may be repeated: the step is taken once, and the e-mail has one key. */
async function sendStep({ recipientId = '', stepNumber = 0 }: CampaignMessage['payload']): Promise<void> {
  const emailId = await takeStep(recipientId, stepNumber)
  if (emailId === undefined) throw new HandlerError(`recipient ${recipientId} has no step ${stepNumber}`, false)
  await handOver([emailId])
}
