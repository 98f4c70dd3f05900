/** `symphony schedules …`: recurring messages. */
import type { Command } from 'commander'
import { addSchedulesList } from './schedules-list.js'
import { addSchedulesNext } from './schedules-next.js'
import { addSchedulesRemove } from './schedules-remove.js'
import { addSchedulesRun } from './schedules-run.js'
import { addSchedulesSwitch } from './schedules-switch.js'

/** Adds the commands. */
export function addSchedules(program: Command): void {
  const schedules = program
    .command('schedules')
    .summary('recurring messages: list, next, pause, resume, run, remove')
    .helpCommand(false)
    .description('Recurring messages.')
  for (const add of [addSchedulesList, addSchedulesNext, addSchedulesSwitch, addSchedulesRun, addSchedulesRemove])
    add(schedules)
}
