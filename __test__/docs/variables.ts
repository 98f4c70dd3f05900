/** The environment variables, as the core reads them. */
import { readFileSync } from 'node:fs'
import { at } from '../../scripts/setup/paths.mjs'

/** Each variable of `src/config/environment.rs` with the key that it sets. */
export function readVariables(): Map<string, string> {
  const core = readFileSync(at('src/config/environment.rs'), 'utf8')
  const entries = core.matchAll(/^ {4}\("(\w+)", "([\w.]+)", Kind::/gm)
  return new Map([...entries].map(([, name = '', key = '']) => [name, key]))
}
