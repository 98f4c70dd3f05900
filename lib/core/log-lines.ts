/** Log lines of the core, on their way to the logger of its instance. */
import type { CoreLine, Log } from '../base/logger.js'
import type { NativeCore } from './native.js'

/** Lets a core write into a log, from the level of its logger on. */
export function connectLog(core: NativeCore, log: Log): void {
  core.onLog((lines) => log.writeCoreLines(JSON.parse(lines) as CoreLine[]))
  log.watchLevel((level) => core.logAt(level))
}
