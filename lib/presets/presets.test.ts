import { beforeEach, describe, expect, test } from 'vitest'
import { dispatch, dispatchBatch, setConfig } from '../index.js'
import { freshProcess, theCore } from '../testing/fakes/fake-core.js'
import {
  buildCampaignMessage,
  buildEmailMessage,
  buildSMSMessage,
  dispatchCampaignMessage,
  dispatchEmailMessage,
  dispatchSMSMessage,
  getFeatureFlags,
  isFeatureEnabled,
  isSymphonyEnabled,
} from '../utils.js'

beforeEach(freshProcess)

const sent = (): Array<{ type: string; payload: object; options: object }> =>
  JSON.parse(theCore().dispatched.at(-1) ?? '')

const email = {
  emailId: 'email-123',
  userId: 'user-456',
  mailboxId: 'mailbox-789',
  toEmail: 'recipient@example.com',
  subject: 'Hello',
  html: '<p>World</p>',
}
const campaign = { campaignId: 'c', userId: 'u', action: 'send_step' as const }

describe('an e-mail', () => {
  test('is a message like any other, with priority 7 and the key of its id', async () => {
    expect(buildEmailMessage({ ...email, fromName: undefined })).toEqual({ type: 'EmailMessage', payload: email })
    await dispatchEmailMessage(email)
    expect(sent()).toEqual([
      { type: 'EmailMessage', payload: email, options: { priority: 7, idempotencyKey: 'email:email-123' } },
    ])
  })

  test('its own options come first, those of dispatch before them', async () => {
    const at = new Date(5)
    await dispatchEmailMessage({ ...email, priority: 9, scheduledAt: at, idempotencyKey: 'k', fromEmail: 'a@b.c' })
    expect(sent()).toEqual([
      {
        type: 'EmailMessage',
        payload: { ...email, fromEmail: 'a@b.c' },
        options: { priority: 9, scheduledAt: 5, idempotencyKey: 'k' },
      },
    ])
    await dispatch(buildEmailMessage(email), { priority: 1, queue: 'q' })
    expect(sent()[0]?.options).toEqual({ priority: 1, idempotencyKey: 'email:email-123', queue: 'q' })
    await dispatchBatch([buildEmailMessage(email), { type: 'X', payload: {} }])
    expect(sent().map(({ options }) => options)).toEqual([
      { priority: 7, idempotencyKey: 'email:email-123' },
      undefined,
    ])
  })
})

describe('a campaign message', () => {
  test.each([
    [{ ...campaign, action: 'process' as const }, undefined],
    [{ ...campaign, recipientId: 'r' }, undefined],
    [{ ...campaign, stepNumber: 2 }, undefined],
    [{ ...campaign, recipientId: 'r', stepNumber: 2 }, 'campaign:c:send_step:r:2'],
    [{ ...campaign, recipientId: 'r', stepNumber: 0 }, 'campaign:c:send_step:r:0'],
  ])('%j has the key %s', async (params, idempotencyKey) => {
    expect(buildCampaignMessage(params)).toEqual({ type: 'CampaignMessage', payload: params })
    await dispatchCampaignMessage(params)
    expect(sent()).toEqual([
      {
        type: 'CampaignMessage',
        payload: params,
        options: idempotencyKey ? { priority: 5, idempotencyKey } : { priority: 5 },
      },
    ])
  })
})

test('an SMS has priority 6 and no key of its own', async () => {
  const sms = { to: '+1234567890', message: 'Hello from Symphony!' }
  expect(buildSMSMessage(sms)).toEqual({ type: 'SMSMessage', payload: sms })
  await dispatchSMSMessage(sms)
  expect(sent()).toEqual([{ type: 'SMSMessage', payload: sms, options: { priority: 6 } }])
})

describe('feature flags', () => {
  test('are off unless something sets them', () => {
    expect(getFeatureFlags()).toEqual({ enabled: false })
    expect(isSymphonyEnabled()).toBe(false)
    setConfig({ features: { enabled: true } })
    expect(['emailQueue', 'constructor', '__proto__'].map(isFeatureEnabled)).toEqual([false, false, false])
  })

  test('count only while the main switch is on', () => {
    setConfig({ features: { emailQueue: true, 'new checkout': true, smsDrip: false } })
    expect([isFeatureEnabled('emailQueue'), isFeatureEnabled('new checkout')]).toEqual([false, false])
    expect(getFeatureFlags()).toEqual({ enabled: false, emailQueue: false, 'new checkout': false, smsDrip: false })
    setConfig({ features: { enabled: true } })
    expect([isFeatureEnabled('emailQueue'), isFeatureEnabled('new checkout')]).toEqual([true, true])
    expect(getFeatureFlags()).toEqual({ enabled: true, emailQueue: true, 'new checkout': true, smsDrip: false })
    expect([isSymphonyEnabled(), isFeatureEnabled('enabled'), isFeatureEnabled('smsDrip')]).toEqual([true, true, false])
  })
})
