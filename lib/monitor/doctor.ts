/** The examination: what is wrong with the database and the queue in it, and what to do. */
import { getCore } from '../core/core.js'
import { awaitNative } from '../core/native-error.js'
import { getRegistry, type HandlerRegistry } from '../handlers/registry.js'

/** One thing looked at. */
export interface Finding {
  /**
   * What was looked at: `pooler`, `connection`, `migrations`, `version`, `clock`, `rights`, `rowSecurity`,
   * `transactions`, `deadRows`, `workers`, `schedules`, `retention`, `handlers` or `facts`.
   */
  check: string
  /** `warning`: it works, and will work badly; `error`: it does not work, or is not safe. */
  severity: 'ok' | 'warning' | 'error'
  /** What was seen. */
  message: string
  /** What to do, where something is to be done. */
  remedy?: string
}

/** What the examination found. */
export interface Diagnosis {
  /** Whether nothing is an error. */
  healthy: boolean
  /** Everything looked at, in order. */
  findings: Finding[]
}

/**
 * Examines the database and the queue in it: connection, pooler, migrations, version, clocks, rights of Supabase's
 * public roles, transactions that hold back vacuum, dead rows, overdue workers and schedules, what is past its
 * retention, messages nobody here handles.
 *
 * Reads catalogs and statistics, and changes nothing. Never rejects because of what it finds: that is a finding.
 *
 * @param options.registry whose handlers count; by default those of the process.
 */
export async function doctor(options: { registry?: HandlerRegistry } = {}): Promise<Diagnosis> {
  const types = (options.registry ?? getRegistry()).claimable()
  return JSON.parse(await awaitNative(async () => getCore().doctor(JSON.stringify({ types }))))
}
