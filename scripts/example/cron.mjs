/** Calls cron routes as Vercel does: GET, with the secret, every entry of `vercel.json`. */
import { readFileSync } from 'node:fs'
import { inExample } from './paths.mjs'

/** The paths in `vercel.json`, in order. @returns {string[]} */
export function cronPaths() {
  return JSON.parse(readFileSync(inExample('vercel.json'), 'utf8')).crons.map(({ path }) => path)
}

/**
 * @param {string} url Of the server.
 * @param {string} path
 * @param {string} secret
 * @returns {Promise<any>} The body of the answer.
 * @throws {Error} When it is not 200.
 */
export async function callCron(url, path, secret) {
  const headers = { authorization: `Bearer ${secret}`, 'user-agent': 'vercel-cron/1.0' }
  const response = await fetch(`${url}${path}`, { headers })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`GET ${path} answered ${response.status}: ${text}`)
  return JSON.parse(text)
}
