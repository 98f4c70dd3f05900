/** What the queue knows that somebody may be about to type: transports, queues, types, schedules, ids. */
import type { Command } from 'commander'
import { Output } from './output.js'
import { openSession, type Session } from './session.js'

/** How long the queue may take to answer a Tab; after that nothing is offered. */
const PATIENCE = 300
/** How many of the newest messages are looked at. */
const NEWEST = 200

/** What may stand at the place where somebody types. */
export type Kind = 'transport' | 'queue' | 'type' | 'schedule' | 'message' | 'letter' | 'class'

const OPTIONS: Record<string, Kind> = {
  '--transport': 'transport',
  '--queue': 'queue',
  '--type': 'type',
  '--error': 'class',
}

/** The kind of the last of the words, by the option before it, or by the argument that it is of its command. */
export function kindAt(words: readonly string[], program: Command): Kind | undefined {
  const before = words.at(-2) ?? ''
  const option = OPTIONS[before]
  if (option !== undefined) return option
  if (before.startsWith('--') || words.at(-1)?.startsWith('-')) return undefined
  const [command, path, rest] = commandAt(words.slice(0, -1), program)
  const place = rest.filter((word) => !word.startsWith('-')).length
  const all = command.registeredArguments
  const argument = all[Math.min(place, all.length - 1)]
  if (argument === undefined || (place >= all.length && !argument.variadic)) return undefined
  const name = argument.name()
  if (name === 'id') return path[0] === 'failed' ? 'letter' : 'message'
  if (name === 'name') return path[0] === 'schedules' ? 'schedule' : undefined
  return name === 'transport' || name === 'type' || name === 'class' ? name : undefined
}

/** The command that words name, its path, and the words behind it. */
function commandAt(words: readonly string[], program: Command): [Command, string[], readonly string[]] {
  let command = program
  const path: string[] = []
  for (const word of words) {
    const inner = command.commands.find((it) => it.name() === word)
    if (inner === undefined) break
    command = inner
    path.push(word)
  }
  return [command, path, words.slice(path.length)]
}

/** What there is of a kind. Nothing where the queue cannot be asked, or does not answer soon. */
export async function known(kind: Kind): Promise<string[]> {
  const values = await ask(kind).catch(() => [])
  return [...new Set(values)].filter((value) => !/[\s:]/.test(value)).sort()
}

async function ask(kind: Kind): Promise<string[]> {
  const { library } = await openSession({}, new Output({ json: true, quiet: true }))
  library.setLogger({ debug: ignore, info: ignore, warn: ignore, error: ignore })
  const late = new Promise<string[]>((resolve) => setTimeout(resolve, PATIENCE, []))
  return Promise.race([ASK[kind](library), late])
}

function ignore(): void {
  // What goes wrong at a Tab, nobody reads.
}

const ASK: Record<Kind, (library: Session['library']) => Promise<string[]>> = {
  transport: async (library) => Object.keys(library.getConfig().transports),
  queue: async (library) => (await newest(library)).map(({ queue }) => queue),
  type: async (library) => [
    ...Object.keys(library.getConfig().routing).filter((type) => !type.includes('*')),
    ...(await newest(library)).map(({ type }) => type),
  ],
  schedule: async (library) => (await library.listSchedules()).map(({ name }) => name),
  message: async (library) => (await newest(library)).map(({ id }) => id),
  letter: async (library) => (await library.listFailed({ limit: NEWEST })).messages.map(({ id }) => id),
  class: async (library) => (await library.listErrorGroups({ limit: NEWEST })).map((group) => group.class),
}

async function newest({
  listMessages,
}: Session['library']): Promise<Array<{ id: string; type: string; queue: string }>> {
  return (await listMessages({ limit: NEWEST })).messages
}
