/** The module of a Nest application. */
import type { DynamicModule } from '@nestjs/common'
import { DiscoveryModule, DiscoveryService } from '@nestjs/core'
import { Scheduler, SymphonyDispatcher, Worker } from '../default/classes.js'
import { defaultSymphony } from '../default/instance.js'
import type { AnySymphony } from '../symphony.js'
import { Lifecycle } from './lifecycle.js'
import { checkModuleOptions, type SymphonyModuleAsyncOptions, type SymphonyModuleOptions } from './options.js'
import { SymphonyService } from './service.js'

const OPTIONS = Symbol('options of SymphonyModule')

/**
 * The queue in a Nest application. Import it once, in the root module.
 *
 * Every provider may inject {@link SymphonyService}, or `SymphonyDispatcher` for the same under the name of what it is
 * used for; `Worker` and `Scheduler`, which are `null` unless they run here. Methods marked with `@Handler()` are
 * registered when the modules are initialized, and worker and scheduler start when all are.
 *
 * When the application closes, worker and scheduler stop in `onModuleDestroy`, where running handlers finish, and the
 * connections close in `onApplicationShutdown`. `app.enableShutdownHooks()` makes signals do that; without it, SIGTERM and
 * SIGINT stop worker and scheduler, unless their `handleSignals` is false, and then end the process.
 *
 * @example
 * @Module({ imports: [SymphonyModule.forRoot({ worker: { maxConcurrency: 20 } })], providers: [MailService] })
 * export class AppModule {}
 */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class.
export class SymphonyModule {
  /** @throws ConfigurationError, when the application starts, naming an option that does not exist. */
  static forRoot(options: SymphonyModuleOptions = {}): DynamicModule {
    return SymphonyModule.forRootAsync({ useFactory: () => options })
  }

  /**
   * With options that depend on other providers.
   *
   * @example
   * SymphonyModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ symphony: createSymphony({ databaseUrl: config.get('QUEUE_URL') }) }),
   * })
   */
  static forRootAsync({ imports = [], inject = [], useFactory }: SymphonyModuleAsyncOptions): DynamicModule {
    const options = {
      provide: OPTIONS,
      inject,
      useFactory: async (...given: unknown[]) => checkModuleOptions(await useFactory(...given)),
    }
    const queue = {
      module: SymphonyProviders,
      global: true,
      imports,
      providers: [options, ...PROVIDERS],
      exports: PROVIDERS.map(({ provide }) => provide),
    }
    const lifecycle = {
      provide: Lifecycle,
      inject: [SymphonyService, Worker, Scheduler, DiscoveryService],
      useFactory: (...parts: ConstructorParameters<typeof Lifecycle>) => new Lifecycle(...parts),
    }
    return { module: SymphonyModule, imports: [DiscoveryModule, queue], providers: [lifecycle] }
  }
}

/**
 * What can be injected anywhere. Apart from the lifecycle, because Nest destroys global modules last, and by then others
 * have closed what running handlers need.
 */
class SymphonyProviders {}

/** An application that does not enable Nest's hooks would be ended with messages in hand; with them, both agree. */
const SIGNALS = { handleSignals: true }

const PROVIDERS = [
  {
    provide: SymphonyService,
    inject: [OPTIONS],
    useFactory: ({ symphony }: SymphonyModuleOptions) => symphony ?? defaultSymphony(),
  },
  { provide: SymphonyDispatcher, useExisting: SymphonyService },
  {
    provide: Worker,
    inject: [SymphonyService, OPTIONS],
    useFactory: ({ createWorker }: AnySymphony, { worker = false }: SymphonyModuleOptions) =>
      worker === false ? null : createWorker({ ...SIGNALS, ...(worker === true ? {} : worker) }),
  },
  {
    provide: Scheduler,
    inject: [SymphonyService, OPTIONS],
    useFactory: ({ createScheduler }: AnySymphony, { scheduler = false }: SymphonyModuleOptions) =>
      scheduler === false ? null : createScheduler({ ...SIGNALS, ...(scheduler === true ? {} : scheduler) }),
  },
]
