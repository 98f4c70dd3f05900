/** The handlers of the application, for commands that need them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT, Exit } from './exit.js'
import { findModule, importModule } from './modules.js'
import type { Library } from './session.js'

/**
 * Imports the module that registers handlers: the given one, else `symphony.handlers.*` in the working directory.
 *
 * @throws Exit if there is none, or it registers none.
 */
export async function loadHandlers(library: Library, given: string | undefined): Promise<void> {
  const file = given === undefined ? findModule('symphony.handlers') : resolve(given)
  if (file === undefined) throw new Exit(EXIT.usage, NONE)
  if (!existsSync(file)) throw new Exit(EXIT.notFound, `the file ${file} does not exist`)
  await importModule(file)
  if (library.getRegistry().types().length > 0) return
  throw new Exit(EXIT.unusable, `${file} registers no handler: it has to call registerHandler(), or import what does`)
}

/** Whether there is a module that would be found. */
export function hasHandlers(): boolean {
  return findModule('symphony.handlers') !== undefined
}

const NONE =
  'which handlers? Pass --handlers ./path/to/handlers.ts, a module that calls registerHandler(), or name it ' +
  'symphony.handlers.ts'
