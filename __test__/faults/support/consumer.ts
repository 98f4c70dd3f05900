import type { ConsumeResult } from '@leadmap/symphony'
import { type Program, startProgram } from '../../support/programs.js'
import type { Journal } from './journal.js'

/** What every consumer of a test has in common. */
export interface ConsumerOptions {
  url: string
  journal: Journal
  /** As the configuration takes it. */
  lease: string
  mode?: 'drain' | 'worker'
  concurrency?: number
  batchSize?: number
  /** Milliseconds between two looks of an idle worker. */
  poll?: number
  /** Variables on top. */
  environment?: Record<string, string>
  /** See `startProgram`. */
  within?: readonly string[]
}

/** A consumer in a process of its own, see `programs/consume.mjs`. */
export interface Consumer {
  readonly process: Program['process']
  readonly ended: Program['ended']
  /** Its name in the journal. */
  readonly who: string
  /** Lets it finish what it has begun; answers with what it did. */
  stop(): Promise<ConsumeResult & { lostInStats: number }>
  /** What it did, when it ends by itself. */
  result(): Promise<ConsumeResult>
  /** SIGKILL; answers when it is gone. */
  kill(): Promise<void>
}

/** Starts a consumer, and answers when it has begun. */
export async function startConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { url, journal, lease, mode = 'worker', concurrency = 5, batchSize = 10, poll = 200, environment } = options
  const variables = {
    SYMPHONY_DATABASE_URL: url,
    SYMPHONY_WORKER_LEASE: lease,
    JOURNAL: journal.file,
    MODE: mode,
    CONCURRENCY: String(concurrency),
    BATCH_SIZE: String(batchSize),
    POLL: String(poll),
    ...environment,
  }
  const program = startProgram('../faults/programs/consume.mjs', variables, options.within)
  const { ready } = await program.next()
  return {
    process: program.process,
    ended: program.ended,
    who: ready,
    result: () => program.next(),
    stop: async () => {
      program.tell('stop')
      const result = await program.next()
      await program.ended
      return result
    },
    kill: async () => {
      program.process.kill('SIGKILL')
      await program.ended
    },
  }
}
