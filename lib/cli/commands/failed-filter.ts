/** Which dead letters: the options that `failed list` and `failed export` share. */
import type { Command } from 'commander'
import type { FailedFilter } from '../../admin.js'
import { given } from '../../base/given.js'
import { past } from '../values.js'

/** The options. */
export interface FilterOptions {
  type?: string
  transport?: string
  queue?: string
  error?: string
  text?: string
  since?: number
  until?: number
}

/** Adds the options to a command. */
export function filtering(command: Command): Command {
  return command
    .option('--type <type>', 'only this message type')
    .option('--transport <name>', 'only from this transport')
    .option('--queue <name>', 'only from this queue')
    .option('--error <class>', 'only with this class of error, such as TypeError')
    .option('--text <text>', 'only those whose payload or error has this text')
    .option('--since <when>', 'failed at or after then: 2h, a day, an instant', past)
    .option('--until <when>', 'failed at or before then', past)
}

/** The filter that they mean. */
export function filterOf({ type, transport, queue, error, text, since, until }: FilterOptions): FailedFilter {
  return given({ type, transport, queue, errorClass: error, text, failedAfter: since, failedBefore: until })
}
