/** The demo's messages: every template of the data file for every contact, the same ones each time. */
import { readFileSync } from 'node:fs'

const data = JSON.parse(readFileSync(new URL('../data/messages.json', import.meta.url), 'utf8'))

/**
 * @typedef {object} Failure
 * @property {'once' | 'forever' | 'rejected'} kind Fails once; fails at every attempt; is not worth a second attempt.
 * @property {string} error What the other side says.
 *
 * @typedef {object} Job One message of the demo and what is to become of it.
 * @property {string} key Its idempotency key.
 * @property {{ type: string, payload: Record<string, unknown>, metadata: Record<string, unknown> }} message
 * @property {{ priority: number, idempotencyKey: string, delay?: string }} options
 * @property {Failure | undefined} failure
 * @property {boolean} repeated Dispatched twice.
 * @property {boolean} single Dispatched alone, as by a route that a user waits for.
 */

/** @returns {Job[]} */
export function createJobs() {
  const contacts = createContacts()
  return data.templates.flatMap((template) => contacts.map((contact, index) => createJob(template, contact, index + 1)))
}

function createContacts() {
  return data.firstNames.flatMap((firstName, first) =>
    data.lastNames.map((lastName, last) => {
      const number = first * data.lastNames.length + last
      return {
        firstName,
        lastName,
        email: `${ascii(firstName)}.${ascii(lastName)}@example.com`,
        phone: `+1555${String(1_000_000 + number * 7919).slice(-7)}`,
        city: data.cities[number % data.cities.length],
        company: data.companies[number % data.companies.length],
        day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'][number % 5],
        month: ['March', 'April', 'May'][number % 3],
        code: String(100_000 + ((number * 6151) % 900_000)),
        digits: String(1000 + ((number * 37) % 9000)),
        token: (number * 2_654_435_761).toString(36),
      }
    }),
  )
}

function createJob(template, contact, number) {
  const key = `${template.id}/${contact.email}`
  const isEach = (every) => every !== undefined && number % every === 0
  return {
    key,
    message: {
      type: template.type,
      payload: Object.fromEntries(Object.entries(template.payload).map(([name, text]) => [name, fill(text, contact)])),
      metadata: { template: template.id },
    },
    options: { priority: template.priority, idempotencyKey: key, ...(template.delay && { delay: template.delay }) },
    failure: isEach(template.failure?.every) ? template.failure : undefined,
    repeated: isEach(template.repeatedEvery),
    single: template.single === true,
  }
}

/** Puts the contact's data into `{{name}}`. */
function fill(text, contact) {
  return typeof text === 'string' ? text.replace(/\{\{(\w+)\}\}/g, (_, name) => contact[name]) : text
}

function ascii(name) {
  return name
    .normalize('NFD')
    .replace(/[^a-z]/gi, '')
    .toLowerCase()
}
