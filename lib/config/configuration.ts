/** The configuration of one instance: read, and changed as a whole or not at all. */
import { ConfigurationError } from '../base/errors.js'
import type { Log } from '../base/logger.js'
import { safely } from '../base/safely.js'
import type { Core } from '../core/core.js'
import { type NativeCore, native } from '../core/native.js'
import { callNative } from '../core/native-error.js'
import type { LayerSet, Layers } from './layers.js'
import type { EffectiveConfig, SymphonyConfig } from './model.js'
import { type ConfigOrigin, originsOf } from './origins.js'
import { overridden, strayRoutes, unknownVariables, type VariableKey } from './warnings.js'

/** Called after a change, with the configuration now in force and the one before. */
export type ConfigListener = (config: EffectiveConfig, previous: EffectiveConfig) => void

/** The current configuration, as the core sees it, and the layers below it. */
export class Configuration {
  readonly layers: Layers
  readonly #core: Core
  readonly #log: Log
  readonly #listeners = new Set<ConfigListener>()
  readonly #warned = new Set<string>()
  #checking = false
  #known: { core: NativeCore; config: EffectiveConfig } | undefined

  constructor(layers: Layers, core: Core, log: Log) {
    this.layers = layers
    this.#core = core
    this.#log = log
    core.whenMade(() => {
      this.#tellLog()
      this.#warn(unknownVariables(this.layers.ownEnvironment, this.#keys()))
    })
  }

  /** The current configuration, as the caller's own copy. */
  read(): EffectiveConfig {
    return JSON.parse(callNative(() => this.#core.get().config())) as EffectiveConfig
  }

  /** The current configuration, read-only: the same object until something changes. */
  peek(): EffectiveConfig {
    const core = this.#core.get()
    if (this.#known?.core !== core) this.#known = { core, config: this.read() }
    return this.#known.config
  }

  /** Where each value of the current configuration comes from. */
  origins(): ConfigOrigin[] {
    return originsOf(this.read(), { ...this.layers.current, environment: this.layers.ownEnvironment }, this.#keys())
  }

  /**
   * Puts layers in force: validated by the core as a whole, or refused, and nothing has changed.
   *
   * @throws ConfigurationError naming the key, what it got and what it wants.
   */
  change(change: Partial<LayerSet>): void {
    const previous = this.#listeners.size > 0 ? this.read() : undefined
    this.#apply(detached({ ...this.layers.current, ...change }))
    this.#known = undefined
    this.#tellLog()
    this.#checkRoutesSoon()
    if (previous !== undefined) this.#notify(this.read(), previous)
  }

  /** Says once of each key in `given` that a variable of the environment keeps it from taking effect. */
  warnOfOverridden(given: SymphonyConfig): void {
    this.#warn(overridden(given, this.layers.ownEnvironment, this.#keys()))
  }

  /** Forgets what is known of a core that was closed. */
  forget(): void {
    this.#known = undefined
  }

  /** Registers a listener; the returned function removes it. */
  onChange(listener: ConfigListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #apply(next: LayerSet): void {
    const core = this.#core.peek()
    if (core !== undefined) {
      callNative(() => core.configure(this.layers.asJson(next)))
      this.layers.set(next)
      return
    }
    const before = this.layers.current
    this.layers.set(next)
    try {
      this.#core.get()
    } catch (error) {
      this.layers.set(before)
      throw error
    }
  }

  /** Later in this turn: what is routed first may be registered next. */
  #checkRoutesSoon(): void {
    if (this.#checking) return
    this.#checking = true
    queueMicrotask(() => {
      this.#checking = false
      if (this.#core.peek() !== undefined) this.#warn(strayRoutes(this.peek()))
    })
  }

  /** Each sentence once. */
  #warn(sentences: readonly string[]): void {
    for (const sentence of sentences) {
      if (this.#warned.has(sentence)) continue
      this.#warned.add(sentence)
      this.#log.current.warn(sentence)
    }
  }

  #keys(): VariableKey[] {
    const keys = JSON.parse(native().configurationKeys()) as Array<{ key: string; variable: string | null }>
    return keys.filter((key): key is VariableKey => key.variable !== null)
  }

  #tellLog(): void {
    this.#log.configure(this.peek().logging)
  }

  #notify(config: EffectiveConfig, previous: EffectiveConfig): void {
    for (const listener of [...this.#listeners]) {
      safely('a configuration listener', () => listener(config, previous), { log: this.#log })
    }
  }
}

/** A copy that the caller's object does not share anything with. */
function detached(given: LayerSet): LayerSet {
  try {
    return JSON.parse(JSON.stringify(given)) as LayerSet
  } catch (cause) {
    throw new ConfigurationError(`the configuration is not plain data: ${(cause as Error).message}`, { cause })
  }
}
