/** The state of the queue: `GET metrics`, `GET health`. */
import { instant, oneOf, readQuery, text, wholeText } from '../requests/fields.js'
import { Answer, textAnswer } from '../responses/answer.js'
import { badRequest } from '../responses/problem.js'
import { namingTransport } from '../responses/refusal.js'
import type { Call, Endpoint } from './endpoint.js'

export const WINDOW = {
  minutes: wholeText(1, 525_600),
  startTime: instant,
  endTime: instant,
  transport: text(),
  format: oneOf('json', 'prometheus'),
}

export const monitoring: Endpoint[] = [
  { method: 'GET', path: 'metrics', run: metrics },
  { method: 'GET', path: 'health', run: health },
]

async function metrics({ url, symphony }: Call): Promise<Answer | Response> {
  const { format, ...window } = readQuery(url, WINDOW)
  const { minutes, startTime, endTime } = window
  if (format === 'prometheus') {
    const [unused] = Object.keys(window)
    if (unused !== undefined) throw badRequest(`${unused}: Prometheus counts for itself, over everything`, unused)
    return textAnswer(await symphony.getMetrics({ format }), PROMETHEUS)
  }
  if (minutes !== undefined && startTime !== undefined) {
    throw badRequest('minutes: must not stand beside startTime', 'minutes')
  }
  if (startTime !== undefined && startTime.getTime() >= (endTime?.getTime() ?? Date.now())) {
    throw badRequest('startTime: must be before endTime, which is now unless it is given', 'startTime')
  }
  return new Answer({ success: true, metrics: await namingTransport(symphony.getMetrics(window)) })
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

async function health({ url, symphony }: Call): Promise<Answer> {
  readQuery(url, {})
  const { status, findings, ...rest } = await symphony.getHealth()
  const checks = findings.map(({ check, severity, ...found }) => ({ name: check, status: SPOKEN[severity], ...found }))
  const works = status !== 'error'
  return new Answer({ success: works, health: { status: SPOKEN[status], checks, ...rest } }, works ? 200 : 503)
}

/** The scale of the routes: what a load balancer is told. */
const SPOKEN = { ok: 'healthy', warning: 'degraded', error: 'unhealthy' } as const
