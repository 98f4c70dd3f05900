import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'

/** As some bundlers leave it: JavaScript alone, far from the package. */
test.each(['index.mjs', 'index.cjs'])('%s without the package around it says that it was bundled', async (entry) => {
  const folder = mkdtempSync(join(tmpdir(), 'symphony-bundled-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(at('dist'), join(folder, 'server'), { recursive: true })
  const program = `import('./server/${entry}').then(({ getConfig }) => getConfig()).catch(({ code, message }) => {
    console.log(JSON.stringify({ code, message }))
  })`
  const { stdout } = await execa(process.execPath, ['-e', program], { cwd: folder })
  const remedies = ["traceDeps: ['@leadmap/symphony']", 'withSymphony()', "Cannot find module '../binding.js'"]
  const { code, message } = JSON.parse(stdout)
  expect(code).toBe('SYMPHONY_UNSUPPORTED_PLATFORM')
  for (const remedy of remedies) expect(message).toContain(remedy)
})
