import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** What a consumer wrote down the moment it happened. */
interface Line {
  did: 'start' | 'end' | 'aborted' | 'completed' | 'lost' | 'error'
  /** Which process, unlike a pid never used again. */
  who: string
  /** The number of the message. */
  n: number
  /** The message's id. */
  id: string
  /** By the clock of this machine, in milliseconds. */
  at: number
}

/** One run of a handler. */
export interface Run {
  who: string
  n: number
  started: number
  /** Missing when the process died before. */
  ended: number | undefined
  /** When the worker was told that the outcome is stored. */
  completed: number | undefined
}

/**
 * A file that all consumers of a test write to, one line with each system call: what was written before a SIGKILL
 * stays written, and it works while the database is down.
 */
export class Journal {
  readonly file: string

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'symphony-journal-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    this.file = join(folder, 'journal')
    writeFileSync(this.file, '')
  }

  lines(): Line[] {
    // The last line of a killed process may be cut short.
    const whole = readFileSync(this.file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
    return whole.map((line) => JSON.parse(line) as Line)
  }

  /** How often something was done. */
  count(did: Line['did']): number {
    return this.lines().filter((line) => line.did === did).length
  }

  /** All runs of handlers, by the number of the message, in their order. */
  runs(): Map<number, Run[]> {
    const runs = new Map<number, Run[]>()
    const byId = new Map<string, Run>()
    for (const { did, who, n, id, at } of this.lines()) {
      if (did === 'start') {
        const run: Run = { who, n, started: at, ended: undefined, completed: undefined }
        runs.set(n, [...(runs.get(n) ?? []), run])
        byId.set(`${who} ${id}`, run)
      }
      const run = byId.get(`${who} ${id}`)
      if (did === 'end' && run) run.ended = at
      if (did === 'completed' && run) run.completed = at
    }
    return runs
  }
}
