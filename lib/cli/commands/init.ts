/** `symphony init`: the files that an application begins with. */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { acting } from '../acting.js'
import { type ConsentOptions, mayGoOn } from '../consent.js'
import { several } from '../format.js'
import type { Output } from '../output.js'
import { type Application, type Change, diff, scaffold } from '../scaffold.js'

/** Adds the command. */
export function addInit(program: Command): void {
  program
    .command('init')
    .summary('write the files that an application begins with')
    .description('Writes configuration, handlers, and for Next.js the cron routes. Shows every line first, and asks.')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'only show what would be written')
    .action(
      acting<[], ConsentOptions>(async ({ options, out }) => {
        const { changes, remarks } = scaffold(application(), randomBytes(24).toString('hex'))
        for (const change of changes) show(change, out)
        const what = `write ${several(changes.length, 'file')}`
        const plan = { what, word: 'yes', isProduction: false }
        if (changes.length === 0) out.say('everything is there already')
        else if (await mayGoOn(plan, options, out)) {
          for (const change of changes) write(change)
          out.done(`${several(changes.length, 'file')} written`)
          out.say(NEXT)
        }
        for (const remark of remarks) out.say(`${out.shade.yellow('!')} ${remark}`)
      }),
    )
}

const NEXT = `Next:
  1. set SYMPHONY_DATABASE_URL in .env.local
  2. npx symphony migrate
  3. npx symphony dispatch WelcomeMail '{ "to": "ada@example.com" }'
  4. npx symphony dev, beside your application, or npx symphony consume`

function application(): Application {
  const next = ['ts', 'mjs', 'js', 'mts'].map((extension) => `next.config.${extension}`).find(existsSync)
  const routes = ['app', 'src/app'].find(existsSync)
  return {
    typescript: existsSync('tsconfig.json'),
    routes: next === undefined ? undefined : routes,
    nextConfig: next,
    read: (name) => (existsSync(name) ? readFileSync(name, 'utf8') : undefined),
  }
}

function show(change: Change, { paint, print }: Output): void {
  print(paint.bold(`${change.before === undefined ? 'new' : 'changed'}  ${change.name}`))
  for (const line of diff(change)) {
    print(line.startsWith('+') ? paint.green(line) : line.startsWith('-') ? paint.red(line) : paint.dim(line))
  }
  print()
}

function write({ name, after }: Change): void {
  mkdirSync(dirname(name), { recursive: true })
  writeFileSync(name, after)
}
