/** Instances beside the default one. */
import { Log, type Logger } from '../base/logger.js'
import { mustBeKnown } from '../base/options.js'
import { asObject } from '../config/functions.js'
import { merge } from '../config/merge.js'
import type { SymphonyConfig } from '../config/model.js'
import type { Messages } from '../message/messages.js'
import { type AnySymphony, assemble, type Symphony } from '../symphony.js'

/** How an instance differs from the default one. */
export interface SymphonyOptions {
  /** What it is called in its log lines, as `instance`. Without a name they do not say where they come from. */
  name?: string
  /** Where its database is; over `config.database.url`. */
  databaseUrl?: string
  /** The schema of its tables; over `config.database.schema`. */
  schema?: string
  /** Its configuration. What is absent has the defaults of the package, not those of the default instance. */
  config?: SymphonyConfig
  /** Where its log lines go; by default to the console. */
  logger?: Logger
}

const OPTIONS = ['name', 'databaseUrl', 'schema', 'config', 'logger']

/**
 * Another queue in the same process: another database, another schema, other handlers, or all of them. It has every
 * function of the package as a method, and shares no state with the default instance or with any other; where two are on
 * one database, they share its connections.
 *
 * Of the environment it reads where the database is, as far as its options do not say so, and no other `SYMPHONY_*`
 * variable: those configure the default instance.
 *
 * Its messages are those of {@link Messages}, or a map of its own: another type, or another payload, is a compile error.
 *
 * @throws ConfigurationError naming an option or a key that does not fit.
 *
 * @example
 * const reports = createSymphony<{ Report: { month: string } }>({ name: 'reports', schema: 'reports' })
 * reports.registerHandler('Report', (message) => build(message.payload))
 * await reports.dispatch({ type: 'Report', payload: { month: '2026-11' } })
 * await reports.consumeBatch()
 */
export function createSymphony<Types = Messages>(options: SymphonyOptions = {}): Symphony<Types> {
  mustBeKnown(options, OPTIONS)
  const { name, logger } = options
  const origin = originOf(options)
  const log = new Log(name === undefined ? {} : { instance: name })
  if (logger !== undefined) log.replace(logger)
  const symphony: AnySymphony = assemble({ name, log, origin })
  // What does not fit is refused here, and not at the first use.
  symphony.getConfig()
  return symphony as Symphony<Types>
}

/** The configuration object of the options. */
function originOf({ databaseUrl: url, schema, config = {} }: SymphonyOptions): SymphonyConfig {
  return merge<SymphonyConfig>(asObject(config), { database: { url, schema } })
}
