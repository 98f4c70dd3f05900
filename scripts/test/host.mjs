/** What cargo calls this machine. */
import { root } from '../setup/paths.mjs'
import { run } from '../setup/process.mjs'

/** @type {Promise<string> | undefined} */
let triple

/** The target triple of this machine, as `x86_64-unknown-linux-gnu`. */
export function hostTriple() {
  triple ??= run('rustc', ['--version', '--verbose'], { cwd: root }).then((text) => {
    const [, host] = /^host: (.+)$/m.exec(text) ?? []
    if (!host) throw new Error(`rustc does not tell its host:\n${text}`)
    return host.trim()
  })
  return triple
}
