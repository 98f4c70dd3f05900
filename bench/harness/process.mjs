/** A system's process, seen from the harness. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { withoutConfiguration } from '../../scripts/setup/environment.mjs'

/** How long one command may take, in milliseconds. */
const patience = 300_000

export class SystemProcess {
  #child
  #name
  #next = 0
  #errors = ''
  /** @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void }>} */
  #asked = new Map()

  /** @param {string} name @param {string} program @param {string[]} parameters */
  constructor(name, program, parameters) {
    this.#name = name
    const env = { ...process.env, ...withoutConfiguration(), NODE_ENV: 'production' }
    this.#child = spawn(program, parameters, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-4000)
    })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line))
    this.#child.stdin.on('error', () => {})
    this.#child.on('error', (error) => this.#fail(error.message))
    this.#child.on('close', (code, signal) => this.#fail(`ended with ${signal ?? code}`))
  }

  get pid() {
    return this.#child.pid
  }

  /**
   * @param {string} command
   * @param {object} [parameters]
   * @returns {Promise<any>}
   */
  ask(command, parameters = {}) {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#fail(`${command} took more than ${patience} ms`), patience)
      const settled = (settle) => (value) => {
        clearTimeout(late)
        settle(value)
      }
      this.#asked.set(id, { resolve: settled(resolve), reject: settled(reject) })
      this.#child.stdin.write(`${JSON.stringify({ id, do: command, with: parameters })}\n`)
    })
  }

  /** Ends it, whatever it does. */
  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }

  #hear(line) {
    // Some systems write on stdout, too.
    if (!line.startsWith('{"')) return
    const { id, result, error } = JSON.parse(line)
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(`${this.#name}: ${error}`))
  }

  #fail(problem) {
    for (const { reject } of this.#asked.values()) reject(new Error(`${this.#name}: ${problem}\n${this.#errors}`))
    this.#asked.clear()
  }
}
