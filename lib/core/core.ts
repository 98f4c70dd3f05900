/** The core of an instance: created at first use, reconfigured in place, forgotten when the instance is closed. */
import { refuseDuringBuild } from './build-phase.js'
import type { NativeCore } from './native.js'
import { awaitNative } from './native-error.js'

/** Connects a part that the core calls back with a new core. */
type Connect = (core: NativeCore) => void

/** Holds the core of one instance. */
export class Core {
  readonly #make: () => NativeCore
  readonly #used: () => void
  readonly #connections: Connect[] = []
  #core: NativeCore | undefined
  #isInUse = false

  /**
   * @param make makes a core from the configuration as it is then. It opens no connection.
   * @param used is called whenever somebody is about to use it.
   */
  constructor(make: () => NativeCore, used: () => void = () => undefined) {
    this.#make = make
    this.#used = used
  }

  /** Connects a part with every core created from now on. */
  whenMade(connect: Connect): void {
    this.#connections.push(connect)
  }

  /**
   * The core, created if necessary from the current configuration. This opens no connection.
   *
   * @throws ConfigurationError when the configuration is invalid.
   */
  get(): NativeCore {
    this.#used()
    return this.#core ?? this.#start()
  }

  /**
   * The core, for a call that dispatches or reads.
   *
   * @throws ConfigurationError as {@link Core.get}, and while Next.js builds.
   */
  use(): NativeCore {
    // A variable of the environment costs a call into C++, and the first use decides for all.
    if (!this.#isInUse) refuseDuringBuild()
    this.#isInUse = true
    return this.get()
  }

  /** The core, if there is one. */
  peek(): NativeCore | undefined {
    return this.#core
  }

  /** Forgets the core, so that the next use creates one. */
  forget(): void {
    this.#core = undefined
    this.#isInUse = false
  }

  /** Asks the core something, and reads its answer. */
  async ask<T>(question: (core: NativeCore) => Promise<string>): Promise<T> {
    return JSON.parse(await awaitNative(async () => question(this.use()))) as T
  }

  #start(): NativeCore {
    const core = this.#make()
    this.#core = core
    for (const connect of this.#connections) connect(core)
    return core
  }
}
