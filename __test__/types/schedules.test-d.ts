import { defineSchedules, type Schedule, type ScheduleConfig, type ScheduleTiming, schedule } from '@leadmap/symphony'
import { nextRuns } from '@leadmap/symphony/utils'

const message = { type: 'Report', payload: { of: 'sales' } }

// Every form of timing, and what comes back.
const stored: Promise<Schedule> = schedule(message, { cron: '0 9 * * *', timezone: 'Europe/London' }, { maxRuns: 3 })
void stored
void schedule(message, { every: '5m' })
void schedule(message, { at: new Date() })
const long: ScheduleConfig = { type: 'cron', config: { cron: '0 9 * * *' }, timezone: 'UTC', maxRuns: 3 }
void schedule(message, long)
const short: ScheduleTiming = { every: 60_000 }
void schedule(message, short, { missed: 'all', overlap: 'allow' })
const runs: Date[] = nextRuns('0 9 * * *', { count: 3 })
void runs
void defineSchedules([{ name: 'a', message, when: { cron: '@daily' } }])

// @ts-expect-error no such policy
void schedule(message, { every: '5m' }, { missed: 'never' })
// @ts-expect-error no such option
void schedule(message, { every: '5m' }, { maxRun: 1 })
// @ts-expect-error here it has to have a name
void defineSchedules([{ message, when: { cron: '@daily' } }])
// @ts-expect-error a message has a payload
void schedule({ type: 'Report' }, { every: '5m' })
