/** Changing a message that waits: `POST admin/messages/:id/edit`. */
import { given } from '../../base/given.js'
import type { MessageChanges } from '../../operate/edit.js'
import { partsOf } from '../../symphony.js'
import { by } from '../authorization/permissions.js'
import { readBody } from '../requests/body.js'
import { BECAUSE, cut, duration, instant, object, readFields, text, whole } from '../requests/fields.js'
import { textAt } from '../requests/json-text.js'
import { Answer } from '../responses/answer.js'
import { notFound, RequestProblem } from '../responses/problem.js'
import { ofOperation } from '../responses/refusal.js'
import { largest } from './dispatch.js'
import type { Call, Endpoint } from './endpoint.js'
import { STATES } from './messages.js'

const YEAR = 365 * 86_400_000

/** What changes; what is not given stays as it is. */
export const CHANGES = {
  payload: object,
  headers: object,
  metadata: object,
  queue: text(),
  priority: whole(1, 10),
  maxRetries: whole(0, 2_147_483_647),
  scheduledAt: instant,
  delay: duration(0, YEAR),
  ...BECAUSE,
}

export const editing: Endpoint[] = [{ method: 'POST', path: 'admin/messages/:id/edit', run: edit }]

async function edit({ request, parameters, symphony, grant }: Call): Promise<Answer> {
  const id = parameters.id ?? ''
  const body = await readBody(request, largest(partsOf(symphony).configuration.peek().payload))
  const { actor, reason, payload: _, ...others } = readFields(body?.value ?? {}, CHANGES)
  // Its numbers are stored as they were sent: a double cannot hold all of them.
  const payloadText = body && textAt(body.text, 'payload')
  const exact = payloadText === undefined || payloadText === 'null' ? {} : { payloadText }
  const changes = { ...others, ...exact } as MessageChanges
  const said = given({ actor, reason })
  const { edited, status } = await ofOperation(symphony.editMessage(id, changes, by(grant, said)))
  if (status === null) throw notFound(`message ${cut(id)} does not exist; finished ones are kept for a while only`)
  if (!edited) throw new RequestProblem(409, 'SYMPHONY_CONFLICT', `message ${cut(id)} ${WHY[status]}`)
  return new Answer({ success: true, messageId: id, status })
}

/** Why a message cannot be changed. */
const WHY = { ...STATES, failed: 'is a dead letter: put it back, and change what comes of it' }
