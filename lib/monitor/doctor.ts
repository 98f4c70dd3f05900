/** The examination: all checks, for a person. */
import { mustBeKnown } from '../base/options.js'
import type { Core } from '../core/core.js'
import type { AnyRegistry, HandlerRegistry } from '../handlers/registry.js'
import type { Finding, Severity } from './finding.js'

/** What the examination found. */
export interface Diagnosis {
  /** The worst of the findings. */
  status: Severity
  /** All checks, in order. */
  findings: Finding[]
}

/** The examination of an instance. */
export interface DoctorFunctions {
  /**
   * Examines the queue and its database: all that `getHealth()` checks, and pooler, version, clocks, rights of
   * Supabase's public roles, transactions that hold back vacuum, dead rows, what is past its retention. Names the workers
   * and schedules that are overdue.
   *
   * Reads catalogs and statistics, and changes nothing. No finding makes it reject.
   *
   * @param options.registry whose handlers count; by default those of the instance.
   */
  doctor(options?: { registry?: AnyRegistry }): Promise<Diagnosis>
}

/** The functions over a core. */
export function doctorFunctions(core: Core, registry: HandlerRegistry): DoctorFunctions {
  return {
    async doctor(options: { registry?: AnyRegistry } = {}): Promise<Diagnosis> {
      mustBeKnown(options, ['registry'])
      const types = (options.registry ?? registry).claimable()
      return core.ask((it) => it.doctor(JSON.stringify({ types })))
    },
  }
}
