/** `npm run migrate`: the application's tables, Symphony's, and the schedules. Once per deployment; safe to repeat. */
import { readdirSync, readFileSync } from 'node:fs'
import { migrate } from '@leadmap/symphony'
import pg from 'pg'
import { makeSchedules } from './schedules.mjs'

const folder = new URL('../migrations/', import.meta.url)
const url = process.env.SYMPHONY_DIRECT_URL || process.env.SYMPHONY_DATABASE_URL || process.env.DATABASE_URL

const client = new pg.Client({ connectionString: url })
await client.connect()
for (const name of readdirSync(folder).sort()) await client.query(readFileSync(new URL(name, folder), 'utf8'))
await client.end()

const { version } = await migrate()
await makeSchedules()
console.log(`tables are there, Symphony's at version ${version}`)
