/** The three layers of a configuration, as the core takes them: object, environment, changes at run time. Later wins. */
import type { SymphonyConfig } from './model.js'

/** What the application configured, what the environment says, what was changed at run time. */
export interface LayerSet {
  config: SymphonyConfig
  runtime: SymphonyConfig
  environment: Record<string, string>
}

/**
 * The layers of one instance.
 *
 * The environment speaks of the default instance. One of its own takes from it where the database is, and only as far
 * as its options do not say so: half of one database and half of another would lead to the wrong place.
 */
export class Layers {
  readonly #origin: SymphonyConfig | undefined
  #current: LayerSet

  /** @param origin the object that an instance of its own begins with; none for the default instance. */
  constructor(origin?: SymphonyConfig) {
    this.#origin = origin
    this.#current = { config: this.origin, runtime: {}, environment: snapshot() }
  }

  /** The object that the instance begins with. */
  get origin(): SymphonyConfig {
    return this.#origin ?? {}
  }

  /** The layers in force. Never changed in place. */
  get current(): LayerSet {
    return this.#current
  }

  /** The variables that this instance reads; an instance of its own reads no `SYMPHONY_*` but where the database is. */
  get ownEnvironment(): Record<string, string> {
    return this.#origin === undefined ? this.#current.environment : {}
  }

  /** Puts other layers in force. The core is not told. */
  set(next: LayerSet): void {
    this.#current = next
  }

  /** Takes a fresh snapshot of the environment. */
  readEnvironment(): void {
    this.#current = { ...this.#current, environment: snapshot() }
  }

  /** Layers as the core takes them. */
  asJson(given: LayerSet = this.#current): string {
    const environment = this.#origin === undefined ? given.environment : placeOnly(given)
    return JSON.stringify({ ...given, environment })
  }
}

const NAMES = ['SYMPHONY_ENV', 'NODE_ENV']
const FALLBACK_URLS = ['DATABASE_URL', 'POSTGRES_URL', 'POSTGRES_URL_NON_POOLING']
const URLS = ['SYMPHONY_DATABASE_URL', 'SYMPHONY_DIRECT_URL', 'SYMPHONY_DATABASE_POOLED', ...FALLBACK_URLS]

/** Of the environment, its name, and where the database is. */
function placeOnly({ config, runtime, environment }: LayerSet): Record<string, string> {
  const database = { ...config.database, ...runtime.database }
  const isPlaced = database.url !== undefined || database.directUrl !== undefined
  const schema = isPlaced || database.schema !== undefined ? [] : ['SYMPHONY_DATABASE_SCHEMA']
  const wanted = [...NAMES, ...(isPlaced ? [] : URLS), ...schema]
  return Object.fromEntries(Object.entries(environment).filter(([name]) => wanted.includes(name)))
}

/** The variables that mean something to this package. */
export function snapshot(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const relevant = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      (entry[0].startsWith('SYMPHONY_') || entry[0] === 'NODE_ENV' || FALLBACK_URLS.includes(entry[0])),
  )
  return Object.fromEntries(relevant)
}
