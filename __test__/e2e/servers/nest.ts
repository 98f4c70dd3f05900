// Compiled to ES modules and to CommonJS, as applications of NestJS are. Its worker runs if it is asked to.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { HandlerContext, Message } from '@leadmap/symphony'
import { bearerToken, createSymphonyRoute, toNodeHandler } from '@leadmap/symphony/http'
// Nest injects by the type of a parameter: biome.json keeps it imported as a value.
import { Handler, SymphonyModule, SymphonyService } from '@leadmap/symphony/nestjs'
import { Injectable, Module, type OnApplicationBootstrap } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'

const worker = process.argv.includes('--worker') && { exitGrace: '100ms' }
const tell = (fact: object) => console.log(JSON.stringify(fact))

@Injectable()
class Greetings implements OnApplicationBootstrap {
  constructor(private readonly symphony: SymphonyService) {}

  async onApplicationBootstrap(): Promise<void> {
    if (worker) await this.symphony.dispatch({ type: 'Long', payload: {} })
  }

  @Handler('Greeting')
  greet(message: Message): void {
    tell({ greeted: message.payload.name })
  }

  /** Ends when the test says so. */
  @Handler('Long')
  async work(_: Message, context: HandlerContext): Promise<void> {
    tell({ started: context.attempt })
    await once(process.stdin, 'data')
    tell({ finished: context.attempt })
  }
}

@Module({ imports: [SymphonyModule.forRoot({ worker })], providers: [Greetings] })
class Application {}

async function main(): Promise<void> {
  const app = await NestFactory.create(Application, { logger: false })
  if (!process.argv.includes('--without-hooks')) app.enableShutdownHooks()
  app.use('/api/symphony', toNodeHandler(createSymphonyRoute({ authorize: bearerToken('token') })))
  await app.listen(0)
  tell({ port: (app.getHttpServer().address() as AddressInfo).port })
}

void main()
