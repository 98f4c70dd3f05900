/** `symphony debug`: message types with their handlers, routes and retries, and what leads nowhere. */
import type { Command } from 'commander'
import type { EffectiveConfig } from '../../config.js'
import { onQueue } from '../acting.js'
import { EXIT, Exit } from '../exit.js'
import { span } from '../format.js'
import { hasHandlers, loadHandlers } from '../handlers.js'
import type { Output } from '../output.js'
import type { Library } from '../session.js'
import { table } from '../table.js'

/** A message type as the code and the configuration know it. */
interface KnownType {
  type: string
  handlers: string[]
  transports: string[]
  maxRetries: number
  delay: number
  circuitBreaker: boolean
  problems: string[]
}

/** Adds the command. */
export function addDebug(program: Command): void {
  program
    .command('debug')
    .summary('message types: handlers, routes, retries')
    .description('Message types with their handlers, routes and retries, and what leads nowhere.')
    .argument('[type]', 'only this message type')
    .option('--handlers <file>', 'the module that registers handlers; symphony.handlers.* by default')
    .action(
      onQueue<[string?], { handlers?: string }>(async ({ library }, { args: [wanted], options, out }) => {
        const isLoaded = options.handlers !== undefined || hasHandlers()
        if (isLoaded) await loadHandlers(library, options.handlers)
        else out.say('no handlers loaded: pass --handlers to see them')
        const types = wanted === undefined ? knownTypes(library) : [wanted]
        const known = types.map((type) => describe(library, type, isLoaded))
        if (out.json !== undefined) out.data(known)
        else if (known.length === 0)
          out.say('no message type is known: none has a handler, a route or a retry strategy')
        else show(known, out)
        if (wanted !== undefined && isLoaded && known[0]?.handlers.length === 0) {
          throw new Exit(EXIT.notFound, `${wanted} has no handler`)
        }
      }),
    )
}

/** Every type and pattern that a handler, a route or a retry strategy names. */
function knownTypes(library: Library): string[] {
  const { routing, retry } = library.getConfig()
  const named = [...library.getRegistry().types(), ...Object.keys(routing), ...Object.keys(retry)]
  return [...new Set(named)].filter((name) => name !== 'default').sort()
}

function describe(library: Library, type: string, isLoaded: boolean): KnownType {
  const config = library.getConfig()
  const handlers = library
    .getRegistry()
    .get(type)
    .map(({ name, type: of }) => (of === type ? name : `${name} (${of})`))
  const transports = library.getTransportsForMessageType(type)
  const { maxRetries, delay } = library.getRetryConfig(type)
  const problems = transports.flatMap((name) => deadEnd(library, name))
  if (isLoaded && handlers.length === 0 && !type.includes('*')) problems.unshift('no handler')
  return { type, handlers, transports, maxRetries, delay, circuitBreaker: hasBreaker(config, type), problems }
}

function deadEnd(library: Library, name: string): string[] {
  const transport = library.getTransportConfig(name)
  if (transport === undefined) return [`the transport ${name} does not exist`]
  return transport.enabled === false ? [`the transport ${name} is switched off`] : []
}

function hasBreaker({ circuitBreaker }: EffectiveConfig, type: string): boolean {
  return circuitBreaker.types[type]?.enabled ?? circuitBreaker.enabled
}

function show(known: readonly KnownType[], out: Output): void {
  const titles = ['TYPE', 'HANDLERS', 'TRANSPORTS', 'RETRIES', 'BREAKER', '']
  const rows = known.map(({ type, handlers, transports, maxRetries, delay, circuitBreaker, problems }) => [
    type,
    handlers.join(', ') || '–',
    transports.join(', '),
    maxRetries === 0 ? 'none' : `${maxRetries}, first after ${span(delay)}`,
    circuitBreaker ? 'on' : '–',
    out.paint.red(problems.map((problem) => `✗ ${problem}`).join(' ')),
  ])
  out.print(
    table(
      titles.map((title) => ({ title })),
      rows,
      out.paint,
    ),
  )
}
