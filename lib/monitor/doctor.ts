/** The examination: what is wrong with the database and the queue, and what to do. */
import type { Core } from '../core/core.js'
import type { HandlerRegistry } from '../handlers/registry.js'

/** One check. */
export interface Finding {
  /**
   * What was checked: `pooler`, `connection`, `migrations`, `version`, `clock`, `rights`, `rowSecurity`,
   * `transactions`, `deadRows`, `workers`, `schedules`, `retention`, `handlers` or `facts`.
   */
  check: string
  /** `warning`: it works, but will get worse; `error`: it does not work, or is not safe. */
  severity: 'ok' | 'warning' | 'error'
  /** What was seen. */
  message: string
  /** What to do, if anything. */
  remedy?: string
}

/** What the examination found. */
export interface Diagnosis {
  /** Whether no finding is an error. */
  healthy: boolean
  /** All checks, in order. */
  findings: Finding[]
}

/** The examination of an instance. */
export interface DoctorFunctions {
  /**
   * Examines the database and the queue: connection, pooler, migrations, version, clocks, rights of Supabase's
   * public roles, transactions that hold back vacuum, dead rows, overdue workers and schedules, what is past its
   * retention, messages without a handler here.
   *
   * Reads catalogs and statistics, and changes nothing. No finding makes it reject.
   *
   * @param options.registry whose handlers count; by default those of the instance.
   */
  doctor(options?: { registry?: HandlerRegistry }): Promise<Diagnosis>
}

/** The functions over a core. */
export function doctorFunctions(core: Core, registry: HandlerRegistry): DoctorFunctions {
  return {
    async doctor(options: { registry?: HandlerRegistry } = {}): Promise<Diagnosis> {
      const types = (options.registry ?? registry).claimable()
      return core.ask((it) => it.doctor(JSON.stringify({ types })))
    },
  }
}
