import { consumeBatch, dispatch, HandlerRegistry, schedule } from '@leadmap/symphony'
import { listFailed } from '@leadmap/symphony/admin'
import { execa } from 'execa'
import { beforeAll, describe, expect, test } from 'vitest'
import { createQueue } from '../support/symphony.js'
import { createProject, PROGRAM } from './support.js'

const config = `export default { transports: { email: { type: 'postgres' } } }`
const database = await createQueue({ transports: { email: { type: 'postgres' } } })
const project = createProject({ 'symphony.config.mjs': config }, { SYMPHONY_DATABASE_URL: database.url })
/** Another environment, for a while. */
const away: Record<string, string> = {}

let waiting = ''

/** On a machine that is busy, the queue does not answer a Tab in time each time. */
const WITHIN = { timeout: 60_000 }

beforeAll(async () => {
  const registry = new HandlerRegistry()
  registry.register('Mail', () => Promise.reject(new TypeError('no')))
  await dispatch({ type: 'Mail', payload: {}, maxRetries: 0 })
  await consumeBatch({ registry })
  waiting = (await dispatch({ type: 'Report', payload: {} }, { delay: '1h' })).messageId
  await schedule({ type: 'Report', payload: {} }, { cron: '0 9 * * *' }, { name: 'report' })
})

/** Whether a shell is installed here. */
const has = async (shell: string): Promise<boolean> => !(await execa(shell, ['--version'], { reject: false })).failed

/** `symphony` is what the scripts call. */
const asProgram = `symphony() { '${process.execPath}' '${PROGRAM}' "$@"; }`

describe.skipIf(!(await has('bash')))('bash', () => {
  /** What a Tab offers after these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const { stdout } = await execa('bash', ['--norc', '-c', BASH, 'bash', ...words], {
      cwd: project.folder,
      env: { ...project.env, ...away },
    })
    return stdout.split('\n').filter(Boolean)
  }

  // What bash-completion brings along, which completion scripts are written for.
  const BASH = `${asProgram}
    _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cur="\${COMP_WORDS[COMP_CWORD]}"; }
    source <(symphony completion bash)
    COMP_WORDS=(symphony "$@"); COMP_CWORD=$#; COMP_LINE="symphony $*"; COMP_POINT=\${#COMP_LINE}
    entry=$(complete -p symphony | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    $entry
    printf '%s\\n' "\${COMPREPLY[@]}"`

  test('completes what the queue knows, and nothing where it cannot be asked', async () => {
    const letter = (await listFailed()).messages[0]?.id
    await expect.poll(() => offered('list', '--type', ''), WITHIN).toEqual(['Report'])
    await expect.poll(() => offered('list', '--queue', 'de'), WITHIN).toEqual(['default'])
    await expect.poll(() => offered('stats', 'em'), WITHIN).toEqual(['email'])
    await expect.poll(() => offered('pause', '--transport', 'em'), WITHIN).toEqual(['email'])
    await expect.poll(() => offered('why', ''), WITHIN).toEqual([waiting])
    await expect.poll(() => offered('failed', 'show', ''), WITHIN).toEqual([letter])
    await expect.poll(() => offered('schedules', 'pause', ''), WITHIN).toEqual(['report'])
    away.SYMPHONY_DATABASE_URL = 'postgres://ada:hidden@192.0.2.1/none'
    expect(await offered('list', '--type', '')).toEqual([])
    delete away.SYMPHONY_DATABASE_URL
  })

  test('completes commands, their commands, options and their choices', async () => {
    expect(await offered('hea')).toEqual(['health'])
    expect(await offered('failed', '')).toEqual(expect.arrayContaining(['list', 'show', 'export']))
    expect(await offered('list', '--sta')).toEqual(['--status'])
    expect(await offered('list', '--status', 'pe')).toEqual(['pending'])
  })
})

test.skipIf(!(await has('zsh')))('zsh takes the script, and a function completes symphony then', async () => {
  const program = `autoload -U compinit; compinit -D -u; ${asProgram}; source <(symphony completion zsh); print $_comps[symphony]`
  const { stdout } = await execa('zsh', ['-f', '-c', program], { cwd: project.folder, env: project.env })
  expect(stdout).toBe('_symphony')
})

test.each(['fish', 'powershell'])('there is a script for %s', async (shell) => {
  const { stdout, code } = await project.run(['completion', shell])
  expect(code).toBe(0)
  expect(stdout).toContain('symphony')
})

test('another shell is wrong usage', async () => {
  expect((await project.run(['completion', 'tcsh'])).code).toBe(2)
})
