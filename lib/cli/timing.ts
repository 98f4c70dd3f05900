/** When schedules run, for people. */
import type { Schedule } from '../admin.js'
import { span } from './format.js'

/** When it runs, as it was written. */
export function timing({ cron, timezone, every, at }: Schedule): string {
  if (cron !== null) return timezone === 'UTC' ? cron : `${cron} ${timezone}`
  return every === null ? `once, ${at?.toISOString() ?? ''}` : `every ${span(every)}`
}
