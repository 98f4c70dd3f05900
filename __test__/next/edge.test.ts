import { execa } from 'execa'
import { expect, test } from 'vitest'
import { at } from '../../scripts/setup/paths.mjs'

const PROGRAM = `
  import * as symphony from '@leadmap/symphony'
  import * as next from '@leadmap/symphony/next'
  import * as utils from '@leadmap/symphony/utils'
  const told = []
  for (const use of [
    () => symphony.dispatch({ type: 'Any', payload: {} }),
    () => new symphony.Worker(),
    () => next.createWorkerRoute(),
    () => utils.isSymphonyEnabled(),
  ]) {
    try { use(); told.push('nothing') } catch ({ name, code, message }) { told.push([name, code, message]) }
  }
  console.log(JSON.stringify(told))
`

test.each(['edge-light', 'workerd', 'browser'])(
  'under the condition %s the first use says what to do',
  async (name) => {
    const parameters = ['--conditions', name, '--input-type=module', '-e', PROGRAM]
    const { stdout } = await execa(process.execPath, parameters, { cwd: at() })
    const told = JSON.parse(stdout) as unknown[]
    const refused = [
      'ConfigurationError',
      'SYMPHONY_EDGE_RUNTIME',
      expect.stringContaining("remove `export const runtime = 'edge'`"),
    ]
    expect(told).toEqual([refused, refused, refused, refused])
  },
)

test('both builds have the same names', async () => {
  for (const entry of ['index', 'admin', 'config', 'http', 'nestjs', 'next', 'testing', 'utils']) {
    const [real, edge] = await Promise.all([
      import(/* @vite-ignore */ at('dist', `${entry}.mjs`)),
      import(/* @vite-ignore */ at('dist', 'edge', `${entry}.mjs`)),
    ])
    expect(Object.keys(edge), entry).toEqual(Object.keys(real))
  }
})
