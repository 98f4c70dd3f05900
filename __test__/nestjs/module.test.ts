/** The module in a Nest application, with the framework itself. */
import {
  createSymphony,
  defineMessage,
  dispatch,
  getRegistry,
  type HandlerContext,
  type Message,
  SymphonyDispatcher,
  Worker,
} from '@leadmap/symphony'
import { Handler, SymphonyModule, type SymphonyModuleOptions, SymphonyService } from '@leadmap/symphony/nestjs'
import { type DynamicModule, Injectable, Module, type OnModuleDestroy, Scope, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { createQueue, emptyTables, storedMessages } from '../support/symphony.js'

const database = await createQueue()

beforeEach(() => emptyTables(database))

/** Starts an application with these providers; it is closed after the test. */
async function startApplication(
  providers: Type[],
  symphony: DynamicModule = SymphonyModule.forRoot({ worker: { handleSignals: false } }),
) {
  class Application {}
  Module({ imports: [symphony], providers })(Application)
  const application = await NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false })
  onTestFinished(() => application.close())
  return application
}

const Report = defineMessage('Report', z.object({ pages: z.number() }))

test('methods handle what an injected queue dispatches, with what their provider has', async () => {
  const handled: unknown[] = []

  @Injectable()
  class Mails {
    readonly #greeting = 'Dear'

    constructor(
      readonly symphony: SymphonyService,
      readonly dispatcher: SymphonyDispatcher,
    ) {}

    @Handler('Mail')
    async send(message: Message, { attempt }: HandlerContext): Promise<void> {
      handled.push(`${this.#greeting} ${message.payload.to}, ${attempt}`)
      await this.dispatcher.dispatch({ type: 'Anything', payload: {} })
    }

    @Handler(Report)
    print({ payload }: { payload: { pages: number } }): void {
      handled.push(payload.pages)
    }

    @Handler('Any*', { name: 'first' })
    @Handler('Any*', { name: 'second' })
    log({ type }: Message): void {
      handled.push(type)
    }
  }

  const application = await startApplication([Mails])
  const { symphony } = application.get(Mails)
  expect(application.get(SymphonyDispatcher)).toBe(symphony)
  await symphony.dispatch({ type: 'Mail', payload: { to: 'Ada' } })
  await symphony.dispatch(Report, { pages: 3 })
  await expect.poll(() => [...handled].sort()).toEqual([3, 'Anything', 'Anything', 'Dear Ada, 1'])
  expect(application.get(Worker).stats().state).toBe('running')
})

test('running handlers finish before the application takes down what they need', async () => {
  const told: string[] = []
  let finish: () => void = () => undefined

  @Injectable()
  class Connection implements OnModuleDestroy {
    onModuleDestroy(): void {
      told.push('disconnected')
    }
  }

  @Injectable()
  class Mails {
    @Handler('Slow')
    async send(): Promise<void> {
      told.push('started')
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      told.push('finished')
    }
  }

  class ConnectionModule {}
  Module({ providers: [Connection], exports: [Connection] })(ConnectionModule)
  const symphony = SymphonyModule.forRoot({ worker: { handleSignals: false } })
  class Application {}
  Module({ imports: [symphony, { module: ConnectionModule, global: true }], providers: [Mails] })(Application)
  const application = await NestFactory.createApplicationContext(Application, { logger: false })
  await dispatch({ type: 'Slow', payload: {} })
  await expect.poll(() => told).toEqual(['started'])
  const closed = application.close()
  await expect.poll(() => application.get(Worker).stats().state).toBe('stopping')
  finish()
  await closed
  expect(told).toEqual(['started', 'finished', 'disconnected'])
  expect((await storedMessages(database)).map(({ status }) => status)).toEqual(['completed'])
  expect(getRegistry().has('Slow')).toBe(false)
})

test('the worker is optional, and an instance of its own may come from a factory', async () => {
  const own = createSymphony({ databaseUrl: database.url, schema: 'own' })
  await own.migrate()
  const closed = vi.spyOn(own, 'close')
  const handled = vi.fn()

  @Injectable()
  class Mails {
    @Handler('Mail')
    send({ payload }: Message): void {
      handled(payload.to)
    }
  }

  const SETTINGS = 'settings'
  class Settings {}
  const settings: DynamicModule = {
    module: Settings,
    providers: [{ provide: SETTINGS, useValue: own }],
    exports: [SETTINGS],
  }
  const asked = SymphonyModule.forRootAsync({
    imports: [settings],
    inject: [SETTINGS],
    useFactory: async (symphony: SymphonyService) => ({ symphony }),
  })
  const application = await startApplication([Mails], asked)
  expect(application.get(Worker, { strict: false })).toBeNull()
  expect(application.get(SymphonyService)).toBe(own)
  await application.get(SymphonyService).dispatch({ type: 'Mail', payload: { to: 'Ada' } })
  expect(await own.consumeBatch()).toMatchObject({ succeeded: 1 })
  expect(handled).toHaveBeenCalledWith('Ada')
  expect(await storedMessages(database)).toEqual([])
  await application.close()
  expect(closed).toHaveBeenCalled()
})

test('an application does not start with what would never be handled, or twice', async () => {
  @Injectable()
  class First {
    @Handler('Mail')
    send(): void {}
  }

  @Injectable()
  class Second {
    @Handler('Mail')
    send(): void {}
  }

  @Injectable({ scope: Scope.REQUEST })
  class ForEachRequest {
    @Handler('Mail')
    send(): void {}
  }

  await expect(startApplication([First, Second])).rejects.toThrow("give each a name of its own: { name: '…' }")
  await expect(startApplication([ForEachRequest])).rejects.toThrow(
    'ForEachRequest.send is a handler, and ForEachRequest is made for each request: remove its scope',
  )
  const options = { workers: true } as SymphonyModuleOptions
  await expect(startApplication([], SymphonyModule.forRoot(options))).rejects.toThrow('did you mean "worker"?')
})
