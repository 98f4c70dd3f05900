/** `symphony failed import`: what `failed export` has written, as messages again. */
import type { Command } from 'commander'
import type { DispatchOptions } from '../../index.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { several } from '../format.js'
import { exactPayloadOf, textOf } from '../payload.js'
import { inSteps } from '../steps.js'

/** A dead letter as a line of an export. */
interface Line {
  id: string
  type: string
  payload: Record<string, unknown>
  options: DispatchOptions
}

/** Adds the command. */
export function addFailedImport(failed: Command): void {
  failed
    .command('import')
    .summary('exported dead letters become messages again')
    .description(
      'Dispatches what failed export has written, edited or not: each line becomes a message in the transport and the ' +
        'queue that it was in, once, however often it is imported within the window of idempotency keys. All lines are ' +
        'checked before the first is dispatched.',
    )
    .argument('<file>', 'lines of JSON; - reads them from stdin')
    .option('--dry-run', 'only check the lines')
    .action(
      onQueue<[string], { dryRun?: boolean }>(async ({ library }, { args: [file], options, out }) => {
        const lines = linesOf(await textOf(file === '-' ? file : `@${file}`))
        const counts = { imported: 0, duplicates: 0, failed: 0 }
        const isDry = options.dryRun === true
        const reached = isDry
          ? lines.length
          : await inSteps(lines, async (some) => {
              const items = some.map(({ type, payload, options: own }) => ({
                message: { type, payload },
                options: own,
              }))
              const results = await library.dispatchBatch(items)
              for (const [place, result] of results.entries()) {
                if ('error' in result) {
                  counts.failed += 1
                  out.complain(`${some[place]?.id}: ${result.error.message}`)
                } else if (result.status === 'duplicate') counts.duplicates += 1
                else counts.imported += 1
              }
            })
        if (out.json !== undefined) out.data({ ...counts, lines: lines.length, dryRun: isDry })
        if (isDry) out.say(`would dispatch ${several(lines.length, 'message')}; nothing was done`)
        else {
          const before = counts.duplicates > 0 ? ` · ${counts.duplicates} were imported before` : ''
          out.done(`${several(counts.imported, 'message')} dispatched${before}`)
        }
        if (reached < lines.length)
          out.say(`stopped: ${lines.length - reached} were not looked at; import the file again`)
        return counts.failed > 0 || reached < lines.length ? EXIT.failed : EXIT.done
      }),
    )
}

function linesOf(text: string): Line[] {
  const lines = text.split('\n').map((line, index) => [line.trim(), index + 1] as const)
  return lines.filter(([line]) => line !== '').map(([line, number]) => lineOf(line, `line ${number}`))
}

function lineOf(line: string, place: string): Line {
  const letter = exactPayloadOf(line, place)
  const { id, type, payload, transport, queue, priority, headers, metadata } = letter
  const isWhole = [id, type, transport, queue].every((it) => typeof it === 'string') && Object(payload) === payload
  if (!isWhole) throw new Exit(EXIT.usage, `${place} is not a dead letter as failed export writes it`)
  const options = { transport, queue, priority, headers, metadata, idempotencyKey: `failed-import/${id}` }
  return { id, type, payload, options } as unknown as Line
}
