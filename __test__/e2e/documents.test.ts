import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import pg from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'
import { type Block, blocksOf, readDocument } from '../docs/documents.js'
import { drain, startApplication } from './support/application.js'
import { email } from './support/messages.js'

/** Whose commands and statements are run here, in order, on the example. */
const DOCUMENTS = ['docs/migration-guide.md', 'docs/troubleshooting.md', 'docs/deployment.md']

/** Run elsewhere: from the tarball, by `scripts/pack-check.mjs`; with psql, by `__test__/migrations`. */
const ELSEWHERE = /^npm install @leadmap\/symphony$|^for file in .*psql/s

const application = await startApplication()
const { database, secrets } = application

describe.each(DOCUMENTS)('%s', (document) => {
  const blocks = blocksOf(readDocument(document))
  // Inside the package, so that its name leads to its bundle.
  const folder = at('target', 'test', 'e2e', document)

  beforeAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    for (const { path, language, code } of blocks) {
      if (path !== undefined && language === 'js' && !path.includes('/')) writeFileSync(join(folder, path), code)
    }
    await surroundings()
    await application.symphony('POST', 'dispatch', email('nobody@example.com'))
    await drain(application)
  })

  test.each(named(blocks, 'sh'))('runs: %s', async (_, code) => {
    const commands = commandsOf(code).filter((command) => !ELSEWHERE.test(command))
    for (const command of commands) await run(command, folder)
  })

  test.each(named(blocks, 'sql'))('is accepted: %s', async (_, code) => {
    const client = new pg.Client(database.directUrl)
    await client.connect()
    await client.query(code).finally(() => client.end())
  })
})

/** Each block of a language, named by its first line. */
function named(blocks: Block[], language: string): Array<[string, string]> {
  return blocks.filter((block) => block.language === language).map(({ code }) => [code.split('\n')[0] ?? '', code])
}

/** The commands of a block: a line each, unless it goes on or opens a loop. */
function commandsOf(code: string): string[] {
  if (/^(for|while|if) /.test(code)) return [code]
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
}

/** The one that the example has installed. */
function addonOfTheExample(): string | undefined {
  const scope = at('examples', 'nextjs', 'node_modules', '@leadmap')
  const files = readdirSync(scope, { recursive: true, encoding: 'utf8' })
  const addon = files.find((file) => file.endsWith('.node'))
  return addon && join(scope, addon)
}

async function run(command: string, cwd: string): Promise<void> {
  const env = {
    ...secrets,
    APP_URL: application.url,
    SYMPHONY_DATABASE_URL: database.url,
    NODE_ENV: undefined,
    // `npm test` has no addon at the root. Only here: the servers have to find their own.
    NAPI_RS_NATIVE_LIBRARY_PATH: addonOfTheExample(),
  }
  const { stdout } = await execa('bash', ['-ec', command], { cwd, env })
  if (command.startsWith('curl --fail')) expect(JSON.parse(stdout)).toMatchObject({ success: true })
  if (command.includes('http_code')) expect(stdout).toBe('401')
}

/** What the documents suppose to be there: a role of the reader's, and the extensions of Supabase. */
async function surroundings(): Promise<void> {
  await database.query(`
    DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    CREATE SCHEMA IF NOT EXISTS cron;
    CREATE SCHEMA IF NOT EXISTS net;
    CREATE SCHEMA IF NOT EXISTS vault;
    CREATE OR REPLACE VIEW vault.decrypted_secrets AS SELECT 'cron_secret' AS name, 'secret' AS decrypted_secret;
    CREATE OR REPLACE FUNCTION net.http_get(url text, headers jsonb, timeout_milliseconds integer) RETURNS bigint
      LANGUAGE sql AS 'SELECT 1::bigint';
    -- As pg_cron would at its first tick: what is scheduled has to run.
    CREATE OR REPLACE FUNCTION cron.schedule(name text, schedule text, command text) RETURNS bigint
      LANGUAGE plpgsql AS 'BEGIN EXECUTE command; RETURN 1; END'`)
}
