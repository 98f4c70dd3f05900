import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { createProject, PROGRAM } from './support.js'

const project = createProject()

/** Whether a shell is installed here. */
const has = async (shell: string): Promise<boolean> => !(await execa(shell, ['--version'], { reject: false })).failed

/** `symphony` is what the scripts call. */
const asProgram = `symphony() { '${process.execPath}' '${PROGRAM}' "$@"; }`

describe.skipIf(!(await has('bash')))('bash', () => {
  /** What a Tab offers after these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const { stdout } = await execa('bash', ['--norc', '-c', BASH, 'bash', ...words], {
      cwd: project.folder,
      env: project.env,
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
