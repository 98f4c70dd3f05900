/** `symphony failed …`: dead letters. */
import type { Command } from 'commander'
import { addFailedExport } from './failed-export.js'
import { addFailedImport } from './failed-import.js'
import { addFailedList } from './failed-list.js'
import { addFailedRemove } from './failed-remove.js'
import { addFailedRetry } from './failed-retry.js'
import { addFailedShow } from './failed-show.js'

/** Adds the commands. */
export function addFailed(program: Command): void {
  const failed = program
    .command('failed')
    .summary('dead letters: list, show, retry, remove, export, import')
    .helpCommand(false)
    .description('Dead letters: messages that failed for good.')
  for (const add of [addFailedList, addFailedShow, addFailedRetry, addFailedRemove, addFailedExport, addFailedImport])
    add(failed)
}
