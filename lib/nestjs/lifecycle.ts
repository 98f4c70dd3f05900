/** What happens when a Nest application starts and when it closes. */
import type { OnApplicationBootstrap, OnApplicationShutdown, OnModuleDestroy, OnModuleInit } from '@nestjs/common'
import type { DiscoveryService } from '@nestjs/core'
import type { Worker } from '../consume/worker.js'
import { refused } from '../handlers/entry.js'
import type { Unregister } from '../handlers/registry.js'
import type { HandlerFunction, MessageHandler } from '../handlers/types.js'
import type { Scheduler } from '../schedules/scheduler.js'
import type { AnySymphony } from '../symphony.js'
import { handlerMethods } from './handler.js'

/** Its methods, of which some may be handlers. */
type Provider = Record<string | symbol, HandlerFunction>

/** Registers handlers, starts what is to run, and stops it. */
export class Lifecycle implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly #symphony: AnySymphony
  readonly #running: ReadonlyArray<Worker | Scheduler>
  readonly #discovery: DiscoveryService
  #handlers: Unregister[] = []

  constructor(symphony: AnySymphony, worker: Worker | null, scheduler: Scheduler | null, discovery: DiscoveryService) {
    this.#symphony = symphony
    this.#running = [worker, scheduler].filter((each) => each !== null)
    this.#discovery = discovery
  }

  /** All providers exist by now, and what the others do here may already dispatch. */
  onModuleInit(): void {
    const wrappers = [...this.#discovery.getProviders(), ...this.#discovery.getControllers()]
    // One instance may be there under several tokens.
    const found = new Map(wrappers.map((wrapper) => [Object(wrapper.instance) as Provider, wrapper]))
    for (const [provider, wrapper] of found)
      this.#register(provider, String(wrapper.name), wrapper.isDependencyTreeStatic())
  }

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all(this.#running.map((each) => each.start()))
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#running.map((each) => each.stop()))
    for (const unregister of this.#handlers.splice(0)) unregister()
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#symphony.close()
  }

  #register(provider: Provider, name: string, isSingleton: boolean): void {
    for (const { method, subject, options } of handlerMethods(Object.getPrototypeOf(provider))) {
      if (!isSingleton) {
        throw refused(
          `${name}.${String(method)} is a handler, and ${name} is made for each request: remove its scope, and that of ` +
            'what it injects',
        )
      }
      // With its class, by which the registry tells it from a method of the same name in another one.
      const handler = { constructor: provider.constructor, handle: provider[method]?.bind(provider) } as MessageHandler
      this.#handlers.push(this.#symphony.registerHandler(subject as string, handler, options))
    }
  }
}
