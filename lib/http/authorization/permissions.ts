/** Who may do what: roles, single rights on top, and the one table from endpoints to what they need. */
import type { Because } from '../../base/because.js'
import { given } from '../../base/given.js'
import { RequestProblem } from '../responses/problem.js'

/**
 * `viewer` reads; `operator` mends: puts back, cancels, pauses, runs; `admin` also deletes, edits, dispatches, stops
 * workers.
 */
export type Role = 'viewer' | 'operator' | 'admin'

/** What a request may do. */
export interface Grant {
  /** What it may do in general. */
  role: Role
  /** Who it is, for the audit; what a request says of itself does not count then. */
  actor?: string
  /** Single rights on top of the role, or taken from it, such as `{ 'failed:retry': true }`. */
  can?: Partial<Record<Permission, boolean>>
  /**
   * Whether values of payloads, headers and metadata whose keys sound secret (`password`, `*token`, `authorization`, …)
   * are hidden, also where errors quote them; or more paths to hide: `['card.number', '*.iban']`. What is hidden cannot be
   * searched. Default `true` for viewers, `false` for the others.
   */
  redact?: boolean | readonly string[]
}

/** The right that an endpoint needs, and the least role that has it. */
const ROLES = {
  read: 'viewer',
  consume: 'operator',
  'failed:retry': 'operator',
  'messages:cancel': 'operator',
  'messages:edit': 'admin',
  'errors:judge': 'operator',
  'schedules:switch': 'operator',
  'schedules:run': 'operator',
  pause: 'operator',
  operate: 'operator',
  dispatch: 'admin',
  'failed:remove': 'admin',
  'schedules:remove': 'admin',
  'workers:stop': 'admin',
} as const satisfies Record<string, Role>

/** A right. */
export type Permission = keyof typeof ROLES

const RANKS: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 }

/** What each endpoint needs that changes something; all others `read`. */
export const PERMISSIONS: Readonly<Record<string, Permission>> = {
  'POST dispatch': 'dispatch',
  'POST consume': 'consume',
  'POST failed/retry': 'failed:retry',
  'POST failed/:id/retry': 'failed:retry',
  'DELETE failed': 'failed:remove',
  'DELETE failed/:id': 'failed:remove',
  'POST admin/messages/:id/cancel': 'messages:cancel',
  'POST admin/messages/:id/edit': 'messages:edit',
  'POST admin/errors': 'errors:judge',
  'POST admin/pauses': 'pause',
  'POST admin/pauses/resume': 'pause',
  'POST admin/operations': 'operate',
  'POST admin/operations/preview': 'read',
  'POST admin/operations/:id/step': 'operate',
  'POST admin/operations/:id/abort': 'operate',
  'POST admin/workers/stop': 'workers:stop',
  'POST schedules/:name/pause': 'schedules:switch',
  'POST schedules/:name/resume': 'schedules:switch',
  'POST schedules/:name/run': 'schedules:run',
  'DELETE schedules/:name': 'schedules:remove',
}

/** The right that an endpoint needs. One that nobody has written down is for admins. */
export function needed(method: string, path: string): Permission {
  return PERMISSIONS[`${method} ${path}`] ?? (method === 'GET' ? 'read' : 'workers:stop')
}

/** Who it is and in which role, for the audit: what a request says of itself counts only if `authorize` does not say it. */
export function by({ actor, role }: Grant, said: { actor?: string; reason?: string } = {}): Because {
  return { ...said, ...given({ actor }), role }
}

/** Whether a grant is one: a role that there is. */
export function isGrant(verdict: unknown): verdict is Grant {
  return typeof verdict === 'object' && verdict !== null && Object.hasOwn(RANKS, String((verdict as Grant).role))
}

/**
 * Refuses what a request may not do.
 *
 * @throws RequestProblem 403 that names the right.
 */
export function mustBeAllowed({ role, can = {} }: Grant, permission: Permission): void {
  const allowed = can[permission] ?? RANKS[role] >= RANKS[ROLES[permission]]
  if (allowed) return
  const message = `the role ${role} may not do this: it needs the right ${permission}`
  throw new RequestProblem(403, 'SYMPHONY_FORBIDDEN', message)
}
