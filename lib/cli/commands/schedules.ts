/** `symphony schedules …`: recurring messages. */
import type { Command } from 'commander'
import { addSchedulesList } from './schedules-list.js'
import { addSchedulesNext } from './schedules-next.js'

/** Adds the commands. */
export function addSchedules(program: Command): void {
  const schedules = program
    .command('schedules')
    .summary('recurring messages: list, next')
    .helpCommand(false)
    .description('Recurring messages.')
  for (const add of [addSchedulesList, addSchedulesNext]) add(schedules)
}
