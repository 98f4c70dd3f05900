/** Redis, where one is there: on `REDIS_URL`, else on its usual port. */

/** Not spelled out in the import: the type check of a checkout without the bench's own packages would miss it. */
const CLIENT = ['ioredis'].join('')

/** @returns {Promise<import('./context.mjs').Redis | undefined>} */
export async function findRedis() {
  const { hostname: host, port } = new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
  const { Redis } = /** @type {any} */ (await import(CLIENT).catch(() => ({})))
  if (!Redis) return undefined
  const options = { host, port: Number(port || 6379), lazyConnect: true, retryStrategy: null, connectTimeout: 500 }
  const client = new Redis(options)
  client.on('error', () => {})
  try {
    await client.connect()
  } catch {
    return undefined
  }
  return {
    host: options.host,
    port: options.port,
    async clear(prefix) {
      for (let cursor = '0'; ; ) {
        const [next, keys] = await client.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 10_000)
        if (keys.length > 0) await client.unlink(...keys)
        if (next === '0') return
        cursor = next
      }
    },
    close: async () => client.disconnect(),
  }
}
