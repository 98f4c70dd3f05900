/** Which handlers a message type has. */
import { type Log, processLog } from '../base/logger.js'
import { mustBeAll } from '../base/options.js'
import { bySpecificity, isPattern, matches } from '../base/pattern.js'
import { safely } from '../base/safely.js'
import { isDefinition, type MessageDefinition, type MessageOf } from '../message/define.js'
import type { MessageShape, UntypedMessage } from '../message/message.js'
import type { DeclaredMessage, HandledType, Messages } from '../message/messages.js'
import { type AnyHandler, type HandlerEntry, mustBeOptions, refused, toEntry } from './entry.js'
import type { Middleware } from './middleware.js'
import { mayReplace } from './replacement.js'
import type { HandlerFunction, HandlerOptions, MessageHandler } from './types.js'

/** Reverts a registration. */
export type Unregister = () => void

/** Types whose handlers are cached. With a pattern, the senders of messages decide how many there are. */
const REMEMBERED = 1_000

/**
 * Handlers and middleware.
 *
 * A type may have several handlers; they run one after the other, and a retry repeats those that failed. Patterns
 * (`Email*`, `*`) handle every type that matches, in addition to the type's own handlers: exact ones run first, then
 * the longest prefix.
 */
export class HandlerRegistry<Types = Messages> {
  #entries: HandlerEntry[] = []
  #layers: Array<{ name: string | undefined; run: Middleware }> = []
  #middleware: readonly Middleware[] = []
  #matching = new Map<string, readonly HandlerEntry[]>()
  /** Registered in the current turn: see {@link mayReplace}. */
  #fresh = new Set<HandlerEntry>()
  #listeners = new Set<() => void>()
  readonly #log: Log | undefined

  /** @internal The registry of an instance writes to that instance's log. */
  constructor(log?: Log) {
    this.#log = log
  }

  /** Registers a handler of a declared message, typed by {@link Messages}. */
  register<Type extends keyof Types>(
    type: Type & string,
    handler: HandlerFunction<DeclaredMessage<Type, Types>> | MessageHandler<DeclaredMessage<Type, Types>>,
    options?: HandlerOptions,
  ): Unregister
  /** Registers a handler of a defined message: typed by its schema, and called only with what the schema accepts. */
  register<Definition extends MessageDefinition>(
    definition: Definition,
    handler: HandlerFunction<MessageOf<Definition>> | MessageHandler<MessageOf<Definition>>,
    options?: HandlerOptions,
  ): Unregister
  /** Registers a handler that names its type itself. */
  // biome-ignore lint/suspicious/noExplicitAny: handlers of all message types.
  register(handler: MessageHandler<any>, options?: HandlerOptions): Unregister
  /**
   * Registers a handler. A type or pattern may have one without a name; every other one needs its own `name` (the name
   * of a function or a class does not count, because it changes with the build).
   *
   * Registered again under the same type and name, later or by the same code, it is replaced in its place, so hot
   * reload does not duplicate it. Two different handlers registered in the same turn are refused.
   *
   * @throws ConfigurationError `SYMPHONY_INVALID_HANDLER` if it is not a handler, or another one has its name.
   */
  register<M extends MessageShape = UntypedMessage>(
    type: M['type'] & HandledType<Types>,
    handler: HandlerFunction<M> | MessageHandler<M>,
    options?: HandlerOptions,
  ): Unregister
  register(
    subject: string | MessageDefinition | MessageHandler,
    second?: AnyHandler | HandlerOptions,
    options?: HandlerOptions,
    ...more: unknown[]
  ): Unregister {
    const isObject = typeof subject !== 'string' && !isDefinition(subject)
    if (isObject) mustBeAll([options, ...more], 'registerHandler(handler, options)')
    else mustBeAll(more, 'registerHandler(type, handler, options)')
    if (typeof subject === 'string') return this.#add(toEntry(subject, second as AnyHandler, options))
    if (isDefinition(subject)) return this.#add(toEntry(subject.type, second as AnyHandler, options, subject.schema))
    return this.#add(toEntry(subject?.type as string, subject, second as HandlerOptions | undefined))
  }

  /** Adds a middleware around the handlers of every message; the first one added is outermost. One of the same name is replaced. */
  use(middleware: Middleware, options: { name?: string } = {}): Unregister {
    if (typeof middleware !== 'function') {
      throw refused('a middleware must be a function (envelope, context, next) => …')
    }
    mustBeOptions('the middleware', options, ['name'])
    const layer = { name: options.name, run: middleware }
    const same = this.#layers.findIndex(({ name }) => name !== undefined && name === options.name)
    this.#stack(same === -1 ? [...this.#layers, layer] : this.#layers.with(same, layer))
    return () => this.#stack(this.#layers.filter((other) => other !== layer))
  }

  /** The handlers of a type, in the order in which they run; may be empty. */
  get(type: string): readonly HandlerEntry[] {
    let found = this.#matching.get(type)
    if (found === undefined) {
      found = this.#entries
        .filter((entry) => matches(entry.type, type))
        .sort((left, right) => bySpecificity(left.type, right.type))
      if (this.#matching.size >= REMEMBERED) this.#matching.clear()
      this.#matching.set(type, found)
    }
    return found
  }

  /** Whether a type has a handler. */
  has(type: string): boolean {
    return this.get(type).length > 0
  }

  /** The types and patterns that have a handler. */
  types(): string[] {
    return [...new Set(this.#entries.map(({ type }) => type))]
  }

  /** The middleware, outermost first. */
  get middleware(): readonly Middleware[] {
    return this.#middleware
  }

  /** Removes a handler, or all handlers of a type if no name is given. Returns whether one was removed. */
  unregister(type: string, name?: string): boolean {
    return this.#remove((entry) => entry.type === type && (name === undefined || entry.name === name))
  }

  /** Removes all handlers and all middleware. */
  clear(): void {
    this.#stack([])
    this.#replace([])
  }

  /** Calls `listener` whenever the handlers change; the returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** The types that a consumer may claim; `null`: any, because a pattern can match any. */
  claimable(): string[] | null {
    const types = this.types()
    return types.some(isPattern) ? null : types
  }

  #add(entry: HandlerEntry): Unregister {
    const place = this.#entries.findIndex(({ identity }) => identity === entry.identity)
    const before = this.#entries[place]
    if (before !== undefined) {
      mayReplace(before, entry, this.#fresh.has(before), this.#log ?? processLog())
    }
    this.#remember(entry)
    this.#replace(before === undefined ? [...this.#entries, entry] : this.#entries.with(place, entry))
    return () => void this.#remove((other) => other === entry)
  }

  #remember(entry: HandlerEntry): void {
    if (this.#fresh.size === 0) queueMicrotask(() => this.#fresh.clear())
    this.#fresh.add(entry)
  }

  #remove(which: (entry: HandlerEntry) => boolean): boolean {
    const kept = this.#entries.filter((entry) => !which(entry))
    if (kept.length === this.#entries.length) return false
    this.#replace(kept)
    return true
  }

  #stack(layers: Array<{ name: string | undefined; run: Middleware }>): void {
    this.#layers = layers
    this.#middleware = layers.map(({ run }) => run)
  }

  #replace(entries: HandlerEntry[]): void {
    this.#entries = entries
    this.#matching.clear()
    for (const listener of this.#listeners) {
      safely('a listener of the registry', listener, this.#log && { log: this.#log })
    }
  }
}

/** A registry, whatever the messages of its instance are. */
// biome-ignore lint/suspicious/noExplicitAny: registries of different messages are assignable to nothing else.
export type AnyRegistry = HandlerRegistry<any>

/** The handlers of an instance. */
export interface HandlerFunctions<Types = Messages> {
  /** Registers a handler in the registry of the instance; in all forms of {@link HandlerRegistry.register}. */
  readonly registerHandler: HandlerRegistry<Types>['register']

  /** The registry of the instance: what consumers and the `sync` transport use by default. */
  getRegistry(): HandlerRegistry<Types>
}

/** The functions over a registry. */
export function handlerFunctions(registry: HandlerRegistry): HandlerFunctions {
  const register = registry.register as (...given: unknown[]) => Unregister
  return {
    registerHandler: (...given: unknown[]): Unregister => register.apply(registry, given),
    getRegistry: () => registry,
  }
}
