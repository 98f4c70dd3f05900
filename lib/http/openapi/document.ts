/** The OpenAPI 3.1 document of the endpoints, made from their table and what is said of them. */
import type { Endpoint } from '../endpoints/endpoint.js'
import type { Fields, JsonSchema } from '../requests/fields.js'
import { type Description, having, TEXT } from './description.js'

/**
 * The document.
 *
 * @param server the address of the route, as it was asked for.
 * @param describe what is said of an endpoint, by method and path.
 */
export function openApi(
  endpoints: readonly Endpoint[],
  server: string,
  describe: Readonly<Record<string, Description>>,
): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const endpoint of endpoints) {
    const description = describe[`${endpoint.method} ${endpoint.path}`]
    if (description === undefined) continue
    const path = `/${endpoint.path.replaceAll(/:(\w+)/g, '{$1}')}`
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(endpoint, description) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Symphony', version: '1', description: 'A message queue: dispatch, consume, look and steer.' },
    servers: [{ url: server }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'Or whatever `authorize` accepts.' } },
      schemas: { Refusal: REFUSAL },
    },
  }
}

const REFUSAL = having({
  success: { const: false },
  error: {
    type: 'object',
    properties: { code: TEXT, message: TEXT, field: TEXT, details: {} },
    required: ['code', 'message'],
  },
})

function operation({ method, path }: Endpoint, description: Description): object {
  const { summary, query = {}, body, required = [] } = description
  const named = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'id' ? { type: 'string', format: 'uuid' } : { type: 'string', minLength: 1, maxLength: 255 },
  }))
  const asked = Object.entries(query).map(([name, { schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
    // Several values are separated by commas; a parameter that is given twice is refused.
    ...(schema.type === 'array' && { style: 'form', explode: false }),
  }))
  const parameters = [...named, ...asked]
  return {
    operationId: operationId(method, path),
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: requestBody(body, required) }),
    responses: { ...answers(description), ...refusals(description, named.length > 0) },
  }
}

/** `POST failed/:id/retry` is `postFailedIdRetry`. */
function operationId(method: string, path: string): string {
  const words = path.split(/\W+/).filter(Boolean)
  return [method.toLowerCase(), ...words.map((word) => word[0]?.toUpperCase() + word.slice(1))].join('')
}

function requestBody(fields: Fields, required: string[]): object {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]))
  const schema = { type: 'object', properties, required, additionalProperties: false }
  return { required: required.length > 0, content: { 'application/json': { schema } } }
}

function answers({ answer, statuses = [200], refusals = {}, text }: Description): Record<number, object> {
  const content = json(having({ success: { const: true }, ...answer }))
  // An answer in full may also be bad news, as that of an unhealthy queue.
  const bad = json({ anyOf: [having({ success: { const: false }, ...answer }), REFERENCE] })
  const both = text ? { ...content, 'text/plain': { schema: TEXT } } : content
  const good = statuses.map((status) => [status, { description: 'Done.', content: both }])
  const described = Object.entries(refusals).map(([status, text]) => [status, { description: text, content: bad }])
  return Object.fromEntries([...good, ...described])
}

const REFERENCE: JsonSchema = { $ref: '#/components/schemas/Refusal' }

/** What may be answered anywhere. */
function refusals({ body, query, refusals = {} }: Description, isNamed: boolean): Record<number, object> {
  const meanings: Array<[number, string]> = [...ANYWHERE]
  if (isNamed) meanings.push([404, 'There is nothing with this name.'])
  if (body ?? query) meanings.push([413, 'The body is too large.'], [415, 'The body is not JSON by its content type.'])
  const isLong = Object.values(query ?? {}).some(({ schema }) => schema.type === 'array')
  if (isLong) meanings.push([431, 'The address is longer than the server takes; use the body.'])
  const others = meanings.filter(([status]) => !(status in refusals))
  return Object.fromEntries(others.map(([status, description]) => [status, { description, content: json(REFERENCE) }]))
}

const ANYWHERE: ReadonlyArray<[number, string]> = [
  [400, 'Something of the request is wrong; `field` names it.'],
  [401, 'Not authorized.'],
  [403, 'Authorized, but not for this; or the request of another site.'],
  [500, 'The log of the server says why.'],
  [503, 'The queue is busy or away; `Retry-After` says when to try again.'],
]

function json(schema: JsonSchema): object {
  return { 'application/json': { schema } }
}
