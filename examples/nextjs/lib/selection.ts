/** Which messages are listed: the newest, those to `busy@…`, or the dead letters. */
export const SELECTIONS = ['newest', 'busy', 'failed'] as const
export type Selection = (typeof SELECTIONS)[number]
