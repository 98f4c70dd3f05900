/** All that match: the options that commands on many messages share. */
import { type Command, InvalidArgumentError } from 'commander'
import { EXIT, Exit } from './exit.js'

/** The options. */
export interface MatchingOptions {
  query?: string
  all?: boolean
  resume?: string
}

/** Adds the options to a command. */
export function matching(command: Command, example = 'type:Mail error:ETIMEDOUT'): Command {
  return command
    .option('--query <query>', `all that match, such as '${example}'`)
    .option('--all', 'all there are')
    .option('--rate <number>', 'so many per second at most', rate)
    .option('--resume <operation>', 'go on with one that was stopped')
    .option('--reason <text>', 'why, for the audit')
    .option('-y, --yes', 'do not ask')
}

/** The filter that they mean; `undefined`: ids are given. */
export function matchingOf(ids: readonly string[], { query, all }: MatchingOptions): { query?: string } | undefined {
  const ways = [ids.length > 0, query !== undefined, all === true].filter(Boolean).length
  if (ways !== 1) throw new Exit(EXIT.usage, 'say which: their ids, or --query, or --all')
  if (ids.length > 0) return undefined
  return query === undefined ? {} : { query }
}

function rate(text: string): number {
  const value = Number(text.replace(/\/s$/, ''))
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError('Wants a number above 0, such as 100 or 0.5.')
}
