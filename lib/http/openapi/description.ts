/** What the OpenAPI document says of an endpoint, beside its method and path. */
import type { Fields, JsonSchema } from '../requests/fields.js'

/** One endpoint, for a reader. */
export interface Description {
  /** What it does, in one sentence. */
  summary: string
  /** Parameters of its query. */
  query?: Fields
  /** Fields of its JSON body. */
  body?: Fields
  /** Those of its query or body that must be given. */
  required?: string[]
  /** What a good answer has beside `success`, by name. */
  answer: Record<string, JsonSchema>
  /** Whether it may also answer plain text. */
  text?: boolean
  /** The status of a good answer; 200 by default. The first one is the usual. */
  statuses?: number[]
  /** Refusals beside those that every endpoint may answer with: status to meaning. */
  refusals?: Record<number, string>
}

/** Any object: its properties are described in the guides. */
export const OBJECT: JsonSchema = { type: 'object' }
/** Many of them. */
export const OBJECTS: JsonSchema = { type: 'array', items: OBJECT }
/** A number that is counted. */
export const COUNT: JsonSchema = { type: 'integer', minimum: 0 }
/** Text. */
export const TEXT: JsonSchema = { type: 'string' }
/** An id of a message or a dead letter. */
export const ID: JsonSchema = { type: 'string', format: 'uuid' }
/** An instant as the answers write it. */
export const INSTANT: JsonSchema = { type: 'string', format: 'date-time' }
/** Yes or no. */
export const FLAG: JsonSchema = { type: 'boolean' }

/** An object with these properties, all of them there, and perhaps others. */
export function having(properties: Record<string, JsonSchema>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties) }
}

/** A value that may be missing. */
export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] }
}
