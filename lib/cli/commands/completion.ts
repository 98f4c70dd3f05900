/** `symphony completion`: scripts for shells, and what they ask at each Tab. The only file that knows their library. */
import type { Command as Completable } from '@bomb.sh/tab'
import { Argument, type Command } from 'commander'
import { acting } from '../acting.js'
import { kindAt, known } from '../known.js'

/** Adds the command for people, and the one that their shells call. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('a script that completes commands and options')
    .description('Prints a script for a shell: with it, Tab completes commands and options.')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish', 'powershell']))
    .addHelpText('after', '\nIn ~/.bashrc: source <(symphony completion bash)')
    .action(
      acting<[string]>(async ({ args: [shell] }) => {
        const { script } = await import('@bomb.sh/tab')
        script(shell, 'symphony', 'symphony')
      }),
    )
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(
      acting<[string[]]>(async ({ args: [words] }) => {
        const { RootCommand } = await import('@bomb.sh/tab')
        const root = new RootCommand()
        const kind = kindAt(words, program)
        const values = kind === undefined ? [] : await known(kind)
        describe(root, program, values)
        for (const [path, command] of descendants(program, ''))
          describe(root.command(path, command.summary()), command, values)
        root.parse(words)
      }),
    )
}

/** Every command below this one with its path, such as `failed list`. */
function descendants(command: Command, path: string): Array<[path: string, command: Command]> {
  const shown = command.createHelp().visibleCommands(command)
  return shown.flatMap((inner): Array<[string, Command]> => {
    const own = path === '' ? inner.name() : `${path} ${inner.name()}`
    return [[own, inner], ...descendants(inner, own)]
  })
}

/** `values` are what the queue knows for the place where somebody types; choices come first. */
function describe(completable: Completable, command: Command, values: readonly string[]): void {
  for (const { long, short, description, required, optional, argChoices } of command
    .createHelp()
    .visibleOptions(command)) {
    const name = long?.slice(2) ?? ''
    const letter = short?.slice(1)
    if (required || optional) completable.option(name, description, offering(argChoices ?? values), letter)
    else completable.option(name, description, letter)
  }
  for (const argument of command.registeredArguments) {
    completable.argument(argument.name(), offering(argument.argChoices ?? values), argument.variadic)
  }
}

function offering(choices: readonly string[]): (complete: (value: string, description: string) => void) => void {
  return (complete) => {
    for (const choice of choices) complete(choice, '')
  }
}
