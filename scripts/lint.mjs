/** `npm run lint`: formatting, lints and types of both languages; changes nothing. */
import { ensureBundle } from './setup/bundle.mjs'
import { ensurePackages, ensureRust } from './setup/dependencies.mjs'
import { main, step } from './setup/step.mjs'
import { rustChecks, styleChecks, typeChecks } from './test/checks.mjs'

await main(async () => {
  await ensurePackages()
  await ensureRust()
  await ensureBundle()
  let failures = 0
  for (const [name, check] of Object.entries({ ...rustChecks, ...styleChecks, ...typeChecks })) {
    await step(name, check).catch(() => failures++)
  }
  return failures > 0 ? 1 : 0
})
