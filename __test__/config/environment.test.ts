import {
  ConfigurationError,
  close,
  createSymphony,
  getConfig,
  getRetryConfig,
  registerTransport,
  resetConfig,
  setConfig,
  setLogger,
} from '@leadmap/symphony'
import { getFeatureFlags, isFeatureEnabled, isSymphonyEnabled } from '@leadmap/symphony/utils'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const pristine = { ...process.env }

beforeEach(() => resetConfig())
afterEach(() => {
  process.env = { ...pristine }
})

/** Sets variables as the shell would before the process starts. */
function withEnvironment(variables: Record<string, string>): ReturnType<typeof getConfig> {
  Object.assign(process.env, variables)
  resetConfig()
  return getConfig()
}

/** The value at a dotted key. */
const at = (config: object, key: string) =>
  key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config)

/** Variable, text, the key it sets, the value in force. */
const VARIABLES: Array<[name: string, text: string, key: string, value: unknown]> = [
  // Those of the user guide.
  ['SYMPHONY_ENABLED', 'true', 'features.enabled', true],
  ['SYMPHONY_EMAIL_QUEUE_ENABLED', 'true', 'features.emailQueue', true],
  ['SYMPHONY_CAMPAIGN_PROCESSING_ENABLED', 'true', 'features.campaignProcessing', true],
  ['SYMPHONY_DEFAULT_TRANSPORT', 'postgres', 'defaultTransport', 'postgres'],
  ['SYMPHONY_DEFAULT_QUEUE', 'bulk', 'defaultQueue', 'bulk'],
  ['SYMPHONY_DEFAULT_PRIORITY', '7', 'defaultPriority', 7],
  ['SYMPHONY_RETRY_MAX_RETRIES', '5', 'retry.default.maxRetries', 5],
  ['SYMPHONY_RETRY_DELAY', '2000', 'retry.default.delay', 2000],
  ['SYMPHONY_RETRY_MULTIPLIER', '3.5', 'retry.default.multiplier', 3.5],
  ['SYMPHONY_RETRY_MAX_DELAY', '60000', 'retry.default.maxDelay', 60_000],
  ['SYMPHONY_WORKER_BATCH_SIZE', '50', 'worker.batchSize', 50],
  ['SYMPHONY_WORKER_MAX_CONCURRENCY', '20', 'worker.maxConcurrency', 20],
  ['SYMPHONY_WORKER_POLL_INTERVAL', '250', 'worker.pollInterval', 250],
  // The others.
  ['SYMPHONY_SMS_DRIP_ENABLED', 'true', 'features.smsDrip', true],
  ['SYMPHONY_NEW_CHECKOUT_ENABLED', 'on', 'features.newCheckout', true],
  ['SYMPHONY_RETRY_JITTER', '0.25', 'retry.default.jitter', 0.25],
  ['SYMPHONY_WORKER_LEASE', '45s', 'worker.lease', 45_000],
  ['SYMPHONY_WORKER_HANDLER_TIMEOUT', '2m', 'worker.handlerTimeout', 120_000],
  ['SYMPHONY_WORKER_SHUTDOWN_TIMEOUT', '5s', 'worker.shutdownTimeout', 5000],
  ['SYMPHONY_DEDUPLICATION_WINDOW', '1h', 'deduplication.window', 3_600_000],
  ['SYMPHONY_RETENTION_COMPLETED', 'none', 'retention.completed', 'none'],
  ['SYMPHONY_RETENTION_FAILED', 'forever', 'retention.failed', 'forever'],
  ['SYMPHONY_PAYLOAD_MAX_BYTES', '2048', 'payload.maxBytes', 2048],
  ['SYMPHONY_PAYLOAD_MAX_HEADERS_BYTES', '2048', 'payload.maxHeadersBytes', 2048],
  ['SYMPHONY_PAYLOAD_MAX_METADATA_BYTES', '2048', 'payload.maxMetadataBytes', 2048],
  ['SYMPHONY_DATABASE_SCHEMA', 'queue', 'database.schema', 'queue'],
  ['SYMPHONY_DATABASE_POOL_SIZE', '2', 'database.poolSize', 2],
  ['SYMPHONY_DATABASE_POOLED', 'true', 'database.pooled', true],
  ['SYMPHONY_STATEMENT_TIMEOUT', '20s', 'database.statementTimeout', 20_000],
  ['SYMPHONY_CONNECT_TIMEOUT', '3000', 'database.connectTimeout', 3000],
  ['SYMPHONY_IDLE_TIMEOUT', '45s', 'database.idleTimeout', 45_000],
  ['SYMPHONY_DATABASE_URL', 'postgres://one/db', 'database.url', 'postgres://one/db'],
  ['SYMPHONY_DIRECT_URL', 'postgres://two/db', 'database.directUrl', 'postgres://two/db'],
]

describe('an environment variable', () => {
  test.each(VARIABLES)('%s=%s sets %s', (name, text, key, value) => {
    expect(at(getConfig(), key)).not.toEqual(value)
    expect(at(withEnvironment({ [name]: text }), key)).toEqual(value)
  })

  test.each(VARIABLES)('%s=%s wins over the configuration object', (name, text, key, value) => {
    withEnvironment({ [name]: text })
    setConfig({
      defaultTransport: 'memory',
      defaultQueue: 'object',
      defaultPriority: 2,
      retry: { default: { maxRetries: 9, delay: 9, multiplier: 9, maxDelay: 9, jitter: 0.9 } },
      worker: {
        batchSize: 9,
        maxConcurrency: 9,
        pollInterval: 9,
        lease: '9s',
        handlerTimeout: 9,
        shutdownTimeout: 9,
      },
      deduplication: { window: 9 },
      retention: { completed: '9d', failed: '9d' },
      payload: { maxBytes: 9, maxHeadersBytes: 9, maxMetadataBytes: 9 },
      database: {
        url: 'postgres://object/db',
        directUrl: 'postgres://object/db',
        schema: 'object',
        poolSize: 9,
        pooled: false,
        statementTimeout: '9s',
        connectTimeout: '9s',
      },
      features: { enabled: false, emailQueue: false, campaignProcessing: false, smsDrip: false, newCheckout: false },
    })
    expect(at(getConfig(), key)).toEqual(value)
  })

  test.each([
    ['SYMPHONY_DEFAULT_PRIORITY', 'banana'],
    ['SYMPHONY_DEFAULT_PRIORITY', '11'],
    ['SYMPHONY_DEFAULT_PRIORITY', ''],
    ['SYMPHONY_RETRY_MAX_RETRIES', '-1'],
    ['SYMPHONY_RETRY_DELAY', 'soon'],
    ['SYMPHONY_RETRY_MULTIPLIER', '0.5'],
    ['SYMPHONY_RETRY_JITTER', '2'],
    ['SYMPHONY_WORKER_BATCH_SIZE', '0'],
    ['SYMPHONY_WORKER_LEASE', '1ms'],
    ['SYMPHONY_ENABLED', 'perhaps'],
    ['SYMPHONY_EMAIL_QUEUE_ENABLED', 'perhaps'],
    ['SYMPHONY_DATABASE_SCHEMA', ''],
    ['SYMPHONY_RETENTION_FAILED', 'none'],
  ])('%s=%j is refused by its name, or left out when it is empty', (name, text) => {
    process.env[name] = text
    const outcome = (() => {
      try {
        resetConfig()
        return getConfig()
      } catch (error) {
        return error
      }
    })()
    if (text === '') return expect(outcome).toMatchObject({ defaultPriority: 5 })
    expect(outcome).toBeInstanceOf(ConfigurationError)
    expect((outcome as Error).message).toContain(name)
    expect((outcome as Error).message).toContain(text)
  })

  test('that the package does not know is ignored', () => {
    const before = getConfig()
    expect(withEnvironment({ SYMPHONY_SOMETHING_ELSE: 'x' })).toEqual(before)
  })
})

describe('the database URL', () => {
  const url = (variables: Record<string, string>) => withEnvironment(variables).database.url

  test('is the first there is of SYMPHONY_DATABASE_URL, DATABASE_URL, POSTGRES_URL', () => {
    expect(url({ POSTGRES_URL: 'postgres://c/db' })).toBe('postgres://c/db')
    expect(url({ DATABASE_URL: 'postgres://b/db' })).toBe('postgres://b/db')
    expect(url({ SYMPHONY_DATABASE_URL: 'postgres://a/db' })).toBe('postgres://a/db')
  })

  test('of the configuration object lies between SYMPHONY_DATABASE_URL and the general ones', () => {
    withEnvironment({ DATABASE_URL: 'postgres://b/db', POSTGRES_URL: 'postgres://c/db' })
    setConfig({ database: { url: 'postgres://object/db' } })
    expect(getConfig().database.url).toBe('postgres://object/db')
  })

  test('for migrations is SYMPHONY_DIRECT_URL, else POSTGRES_URL_NON_POOLING', () => {
    const direct = (variables: Record<string, string>) => withEnvironment(variables).database.directUrl
    expect(direct({ POSTGRES_URL_NON_POOLING: 'postgres://n/db' })).toBe('postgres://n/db')
    expect(direct({ SYMPHONY_DIRECT_URL: 'postgres://d/db' })).toBe('postgres://d/db')
  })
})

describe('a section of an environment', () => {
  const config = {
    defaultPriority: 3,
    worker: { batchSize: 20, maxConcurrency: 4 },
    environments: {
      production: { defaultPriority: 8, worker: { batchSize: 500 } },
      staging: { defaultPriority: 6 },
    },
  }

  test('is chosen by SYMPHONY_ENV, else by NODE_ENV, and lies over the rest', () => {
    withEnvironment({ NODE_ENV: 'production' })
    setConfig(config)
    expect(getConfig()).toMatchObject({ defaultPriority: 8, worker: { batchSize: 500, maxConcurrency: 4 } })
    withEnvironment({ SYMPHONY_ENV: 'staging' })
    setConfig(config)
    expect(getConfig()).toMatchObject({ defaultPriority: 6, worker: { batchSize: 20 } })
    withEnvironment({ SYMPHONY_ENV: 'elsewhere' })
    setConfig(config)
    expect(getConfig()).toMatchObject({ defaultPriority: 3 })
  })

  test('lies under the environment variables', () => {
    withEnvironment({ SYMPHONY_ENV: 'production', SYMPHONY_DEFAULT_PRIORITY: '1' })
    setConfig(config)
    expect(getConfig()).toMatchObject({ defaultPriority: 1, worker: { batchSize: 500 } })
  })

  test('is checked even where it is not chosen', () => {
    expect(() => setConfig({ environments: { production: { defaultPriority: 11 } } })).toThrow(
      /environments\.production\.defaultPriority: got 11/,
    )
  })
})

test('the retry variables reach the types through the default strategy', () => {
  withEnvironment({ SYMPHONY_RETRY_MAX_RETRIES: '7' })
  setConfig({ retry: { EmailMessage: { delay: 5 } } })
  expect(getRetryConfig('EmailMessage')).toMatchObject({ maxRetries: 7, delay: 5 })
})

test('the feature flags count only while the main switch is on', () => {
  expect(getFeatureFlags()).toEqual({ enabled: false })
  withEnvironment({ SYMPHONY_EMAIL_QUEUE_ENABLED: 'true' })
  expect([isSymphonyEnabled(), isFeatureEnabled('emailQueue')]).toEqual([false, false])
  withEnvironment({ SYMPHONY_ENABLED: '1' })
  expect([isSymphonyEnabled(), isFeatureEnabled('emailQueue')]).toEqual([true, true])
})

describe('what is said in vain is logged once', () => {
  const warn = vi.fn()

  beforeEach(() => {
    warn.mockClear()
    setLogger({ debug: () => {}, info: () => {}, warn, error: () => {} })
  })
  afterEach(() => setLogger())

  /** The warnings that mention a text. */
  const warnings = (about: string) =>
    warn.mock.calls.map(([text]) => String(text)).filter((text) => text.includes(about))

  test('setConfig() under a variable that overrides it', () => {
    withEnvironment({ SYMPHONY_WORKER_MAX_CRASHES: '4', SYMPHONY_DEFAULT_QUEUE: 'mail' })
    setConfig({ worker: { maxCrashes: 7 }, defaultQueue: 'mail' })
    setConfig({ worker: { maxCrashes: 7 } })
    expect(getConfig().worker.maxCrashes).toBe(4)
    expect(warnings('takes precedence')).toEqual([expect.stringContaining('SYMPHONY_WORKER_MAX_CRASHES')])
  })

  test('a variable that does not exist, at the first use', async () => {
    const symphony = createSymphony({ name: 'own' })
    await close()
    withEnvironment({ SYMPHONY_WORKER_BATCHSIZE: '10' })
    await close()
    getConfig()
    expect(warnings('sets nothing')).toEqual([
      'the environment variable SYMPHONY_WORKER_BATCHSIZE sets nothing; did you mean SYMPHONY_WORKER_BATCH_SIZE?',
    ])
    symphony.setLogger({ debug: () => {}, info: () => {}, warn, error: () => {} })
    warn.mockClear()
    symphony.setConfig({ defaultPriority: 2 })
    expect(warn).not.toHaveBeenCalled()
  })

  test('a route to a transport that does not exist, unless it is registered in the same turn', async () => {
    setConfig({
      routing: { Stray: 'emial', Fine: 'email', Late: ['late'] },
      transports: { email: { type: 'postgres' } },
    })
    registerTransport('late', { type: 'postgres' })
    await Promise.resolve()
    setConfig({ defaultPriority: 4 })
    await Promise.resolve()
    expect(warnings('leads to')).toEqual([
      expect.stringContaining(
        'routing.Stray leads to the transport emial, which is not configured; did you mean email?',
      ),
    ])
  })
})
