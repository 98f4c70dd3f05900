/** The program: its commands, and the options that all of them have. */
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'
import { type Argument, Command, Help, Option } from 'commander'
import picocolors from 'picocolors'
import { addAudit } from './commands/audit.js'
import { addCancel } from './commands/cancel.js'
import { addCleanup } from './commands/cleanup.js'
import { addCompletion } from './commands/completion.js'
import { addConfig } from './commands/config.js'
import { addConsume } from './commands/consume.js'
import { addDebug } from './commands/debug.js'
import { addDepths } from './commands/depths.js'
import { addDev } from './commands/dev.js'
import { addDispatch } from './commands/dispatch.js'
import { addDoctor } from './commands/doctor.js'
import { addDuplicates } from './commands/duplicates.js'
import { addEdit } from './commands/edit.js'
import { addErrors } from './commands/errors.js'
import { addFailed } from './commands/failed.js'
import { addHealth } from './commands/health.js'
import { addInit } from './commands/init.js'
import { addList } from './commands/list.js'
import { addMetrics } from './commands/metrics.js'
import { addMigrate } from './commands/migrate.js'
import { addOverview } from './commands/overview.js'
import { addPause } from './commands/pause.js'
import { addReschedule } from './commands/reschedule.js'
import { addRollback } from './commands/rollback.js'
import { addScheduler } from './commands/scheduler.js'
import { addSchedules } from './commands/schedules.js'
import { addShow } from './commands/show.js'
import { addStats } from './commands/stats.js'
import { addStopWorkers } from './commands/stop-workers.js'
import { addWhy } from './commands/why.js'
import { addWork } from './commands/work.js'
import { addWorkers } from './commands/workers.js'

/** Commands in the order of the help, by group. */
const GROUPS: ReadonlyArray<[title: string, commands: ReadonlyArray<(program: Command) => void>]> = [
  ['See', [addStats, addMetrics, addDepths, addErrors, addDuplicates, addWorkers, addHealth, addDoctor, addAudit]],
  [
    'Messages',
    [addList, addShow, addWhy, addDispatch, addCancel, addReschedule, addEdit, addFailed, addSchedules, addPause],
  ],
  ['Work', [addConsume, addScheduler, addWork, addStopWorkers, addDev]],
  ['Set up', [addInit, addMigrate, addRollback, addCleanup, addConfig, addDebug, addCompletion]],
]

/** Builds the program. Nothing of the package is loaded before a command runs. */
export function buildProgram(): Command {
  const program = new Command('symphony')
  const { bold, cyan, dim } = picocolors.createColors(true)
  program
    .description('The command line of Symphony, a message queue on Postgres.')
    .usage('[command] [options]')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show the help of the program, or of a command')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, '✗ ')) })
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm,
      formatHelp,
      styleTitle: bold,
      styleCommandText: cyan,
      styleSubcommandText: cyan,
      styleOptionText: cyan,
      styleArgumentText: dim,
    })
    .option('--config <file>', 'the configuration file, instead of symphony.config.*')
    .option('--database-url <url>', 'the database, instead of SYMPHONY_DATABASE_URL')
    .option('--schema <name>', 'the schema of the tables')
    .option('--env <name>', 'the environment, instead of SYMPHONY_ENV or NODE_ENV')
    .option('--json', 'write one JSON document; --json=lines or --ndjson: a line per thing')
    .addOption(new Option('--json-lines').hideHelp())
    .option('--no-color', 'no colours; so does NO_COLOR')
    .option('-q, --quiet', 'say nothing on stderr unless it fails')
    .option('-v, --verbose', 'say more')
  addOverview(program)
  for (const [title, commands] of GROUPS) {
    program.commandsGroup(`${title}:`)
    for (const add of commands) add(program)
  }
  return program
}

/** Without `[options]`, which says nothing. */
function subcommandTerm(command: Command): string {
  return [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' ')
}

function argumentTerm(argument: Argument): string {
  const text = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${text}>` : `[${text}]`
}

/** The commands before the options that all of them have. */
function formatHelp(this: Help, command: Command, helper: Help): string {
  const text = Help.prototype.formatHelp.call(helper, command, helper)
  if (command.parent !== null) return text
  const blocks = text
    .trimEnd()
    .split('\n\n')
    .filter((block) => !/^Arguments:/.test(stripVTControlCharacters(block)))
  const isOptions = (block: string): boolean => /^Options:/.test(stripVTControlCharacters(block))
  const ordered = [...blocks.filter((block) => !isOptions(block)), ...blocks.filter(isOptions)]
  return `${ordered.join('\n\n')}\n`
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
