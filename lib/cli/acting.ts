/** What every command has in common: its options, its output, and the queue that it opens. */
import type { Command } from 'commander'
import type { PlaceOptions } from './environment.js'
import { EXIT } from './exit.js'
import { Output, type OutputOptions } from './output.js'
import { type Session, withSession } from './session.js'

/** A command as it was called. */
export interface Call<Args extends unknown[], Options> {
  args: Args
  options: Options & PlaceOptions & OutputOptions
  out: Output
}

type Ending = number | undefined

/** The action of a command that needs no queue. It returns its exit code; nothing: it is done. */
export function acting<Args extends unknown[] = [], Options = object>(
  work: (call: Call<Args, Options>) => Promise<Ending> | Ending | Promise<void>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    const options = command.optsWithGlobals() as Call<Args, Options>['options']
    const ended = await work({ args: command.processedArgs as Args, options, out: new Output(options) })
    process.exitCode = ended ?? EXIT.done
  }
}

/** The action of a command on the queue, which is open while it works. */
export function onQueue<Args extends unknown[] = [], Options = object>(
  work: (session: Session, call: Call<Args, Options>) => Promise<Ending> | Promise<void>,
): (...given: unknown[]) => Promise<void> {
  return acting<Args, Options>((call) =>
    withSession(call.options, call.out, async (session) => (await work(session, call)) ?? undefined),
  )
}
