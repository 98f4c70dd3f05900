/** One message from a process that has just begun: `node cold.mjs <system> <settings>`. Prints what took how long. */
const [, , system, settings] = process.argv
const { url, schema, host, port } = JSON.parse(settings)
const payload = { n: 0, to: 'user0@example.com', template: 'welcome', locale: 'en-GB' }

const senders = {
  async symphony() {
    const { close, dispatch, setConfig } = await import('../dist/index.mjs')
    return async () => {
      setConfig({ database: { url, schema } })
      await dispatch({ type: 'Bench', payload })
      return close
    }
  },
  async 'pg-boss'() {
    const { PgBoss } = await import('pg-boss')
    return async () => {
      const quiet = { supervise: false, schedule: false, migrate: false }
      const boss = new PgBoss({ connectionString: url, schema, max: 1, ...quiet })
      await boss.start()
      await boss.send('bench', payload)
      return () => boss.stop({ graceful: false })
    }
  },
  async 'graphile-worker'() {
    const { makeWorkerUtils } = await import('graphile-worker')
    return async () => {
      const utils = await makeWorkerUtils({ connectionString: url, schema, maxPoolSize: 1 })
      await utils.addJob('bench', payload)
      return () => utils.release()
    }
  },
  async 'bullmq-postgres'() {
    const { createPostgresBackend, withBackend } = await import('bullmq')
    return async () => {
      const { Queue } = withBackend(createPostgresBackend)
      const queue = new Queue('bench', { connection: { connectionString: url, schema, max: 1 } })
      await queue.add('bench', payload)
      return () => queue.close()
    }
  },
  async 'bullmq-redis'() {
    const { Queue } = await import('bullmq')
    return async () => {
      const queue = new Queue('bench', { connection: { host, port }, prefix: schema })
      await queue.add('bench', payload)
      return () => queue.close()
    }
  },
}

const began = performance.now()
const send = await senders[system]()
const loaded = performance.now()
const end = await send()
const sent = performance.now()
await end()
const rssMb = process.resourceUsage().maxRSS / 1024
console.log(JSON.stringify({ load: loaded - began, send: sent - loaded, rssMb }))
process.exit(0)
