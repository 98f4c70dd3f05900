/** `npm run format`: formats both languages in place and applies the safe fixes of the linter. */
import { ensurePackages, ensureRust } from './setup/dependencies.mjs'
import { main, step } from './setup/step.mjs'
import { format } from './test/checks.mjs'

await main(async () => {
  await ensurePackages()
  await ensureRust()
  await step('format', format)
})
