/** Recurring messages. The table of schedules becomes what this list says. */
import { defineSchedules } from '@leadmap/symphony'

export function makeSchedules() {
  return defineSchedules([
    {
      name: 'daily-summary',
      when: { cron: '0 8 * * MON-FRI', timezone: 'Europe/London' },
      message: {
        type: 'EmailMessage',
        payload: {
          emailId: 'daily-summary',
          userId: 'user-1',
          mailboxId: 'reports',
          toEmail: 'owner@leadmap.example',
          subject: 'Good morning',
          html: '<p>Yesterday at LeadMap</p>',
        },
      },
    },
  ])
}
