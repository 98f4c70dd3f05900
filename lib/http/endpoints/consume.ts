/** `POST consume`: a drain for applications without a cron route. */
import type { Configuration } from '../../config/configuration.js'
import { checkOptions } from '../../consume/options.js'
import { partsOf } from '../../symphony.js'
import { readJson, SMALL_BODY } from '../requests/body.js'
import { duration, readFields, text, whole } from '../requests/fields.js'
import { Answer } from '../responses/answer.js'
import { badRequest } from '../responses/problem.js'
import { namingTransport } from '../responses/refusal.js'
import { drainWithFigures } from '../routes/drain.js'
import type { Call, Endpoint } from './endpoint.js'

export const LIMITS = {
  batchSize: whole(1, 1_000),
  maxConcurrency: whole(1, 100),
  timeLimit: duration(1, 3_600_000),
  messageLimit: whole(1, 1_000_000),
  transport: text(),
}

export const consume: Endpoint[] = [{ method: 'POST', path: 'consume', run: consumeSome }]

async function consumeSome({ request, settings, symphony }: Call): Promise<Answer> {
  const parts = partsOf(symphony)
  const asked = readFields((await readJson(request, SMALL_BODY)) ?? {}, LIMITS)
  if (isInline(parts.configuration, asked.transport))
    throw badRequest('transport: messages of type sync wait nowhere', 'transport')
  const timeLimit = Math.min(asked.timeLimit ?? settings.timeLimit, settings.timeLimit)
  const { transports, ...consume } = settings.consume
  const from = asked.transport === undefined ? { transports } : {}
  const { stats, health, ...result } = await namingTransport(
    drainWithFigures(parts, checkOptions({ ...consume, ...from, ...asked, timeLimit })),
  )
  return new Answer({ success: true, stats, health, ...result })
}

/** Handled inside `dispatch()`, so there is nothing to drain. */
function isInline(configuration: Configuration, transport: string | undefined): boolean {
  return transport !== undefined && configuration.peek().transports[transport]?.type === 'sync'
}
