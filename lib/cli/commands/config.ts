/** `symphony config`: the configuration in force, and where each value comes from. */
import { relative } from 'node:path'
import type { Command } from 'commander'
import type { ConfigOrigin } from '../../config.js'
import { onQueue } from '../acting.js'
import { span } from '../format.js'
import type { Output } from '../output.js'
import type { Session } from '../session.js'
import { table } from '../table.js'

/** Adds the command. */
export function addConfig(program: Command): void {
  program
    .command('config')
    .summary('the configuration in force')
    .description('The configuration in force, all layers together. Passwords are masked.')
    .option('--show-origin', 'where each value comes from')
    .action(
      onQueue<[], { showOrigin?: boolean }>(async (session, { options, out }) => {
        const { library } = session
        if (out.json !== undefined) {
          return out.data(options.showOrigin ? library.getConfigOrigins() : library.getConfig())
        }
        const rows = library.getConfigOrigins().map((origin) => {
          const cells = [origin.key, shown(origin)]
          return options.showOrigin ? [...cells, source(origin, session, out)] : cells
        })
        const titles = options.showOrigin ? ['KEY', 'VALUE', 'FROM'] : ['KEY', 'VALUE']
        out.print(
          table(
            titles.map((title) => ({ title })),
            rows,
            out.paint,
          ),
        )
      }),
    )
}

/** Durations are milliseconds in force; people write them otherwise. */
const DURATION = /(?:[dD]elay|[iI]nterval|lease|[tT]imeout|window|coolDown|oldestAge|^retention\.\w+)$/

function shown({ key, value }: ConfigOrigin): string {
  if (typeof value === 'number' && value > 0 && DURATION.test(key)) return span(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function source({ origin, variable, section }: ConfigOrigin, { configFile, sources }: Session, out: Output): string {
  const file = configFile === undefined ? 'the configuration' : relative(process.cwd(), configFile)
  switch (origin) {
    case 'default':
      return out.paint.dim('default')
    case 'config':
      return section === undefined ? file : `${file}, ${section}`
    default:
      return [variable, sources.get(variable ?? '')].filter((part) => part !== undefined).join(', ')
  }
}
