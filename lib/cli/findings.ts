/** What health and examination find, on a terminal. */
import type { Finding, Severity } from '../admin.js'
import { EXIT, type ExitCode } from './exit.js'
import type { Output } from './output.js'

/** Prints findings, the bad ones first; of those that are well only the names, unless asked for more. */
export function showFindings(findings: readonly Finding[], out: Output): void {
  const { paint } = out
  for (const severity of ['error', 'warning'] as const) {
    for (const finding of findings.filter((one) => one.severity === severity)) {
      const mark = severity === 'error' ? paint.red('✗') : paint.yellow('!')
      out.print(`${mark} ${paint.bold(finding.check)}: ${finding.message}`)
      if (finding.remedy !== undefined) out.print(`  ${paint.dim('→')} ${finding.remedy}`)
    }
  }
  const well = findings.filter(({ severity }) => severity === 'ok')
  if (out.verbose) for (const { check, message } of well) out.print(`${paint.green('✓')} ${check}: ${message}`)
  else if (well.length > 0) out.print(`${paint.green('✓')} ${well.map(({ check }) => check).join(', ')}`)
}

/** An error fails; a warning does where somebody is strict. */
export function endingOf(status: Severity, strict = false): ExitCode {
  if (status === 'error') return EXIT.failed
  return status === 'warning' && strict ? EXIT.degraded : EXIT.done
}
