/** Snippets as modules of an application: nothing in them changes but the path they import from. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { COMPILER_OPTIONS } from '../support/compiler-options.js'
import { readSnippets, type Snippet } from './snippets.js'

/** Inside the package, so that its name leads to its own bundle, as it would in `node_modules`. */
const folder = fileURLToPath(new URL('../../target/test/seeds/', import.meta.url))
const surroundings = '../../../__test__/seeds/surroundings.js'

/** Names that snippets use without importing them, and where an application would have them from. */
const PRESUMED: Record<string, string[]> = {
  [`import { # } from '${surroundings}'`]: [
    'message',
    'message1',
    'message2',
    'message3',
    'messages',
    'failedMessageId',
  ],
  "import { # } from '@leadmap/symphony'": ['dispatch', 'dispatchBatch', 'SymphonyDispatcher'],
  "import type { # } from '@leadmap/symphony'": [
    'Message',
    'MessageMetadata',
    'MessageEnvelope',
    'MessageHandler',
    'HandlerContext',
    'SymphonyConfig',
  ],
  "import type { # } from '@leadmap/symphony/utils'": ['EmailMessage'],
}

export interface SnippetModule extends Snippet {
  /** The file, for `import()`. */
  url: string
}

/** Writes every snippet as a module, with a project to check them all, and answers where. */
export function writeModules(): { modules: SnippetModule[]; project: string } {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const modules = readSnippets().map((snippet) => {
    const file = `${folder}${snippet.name.toLowerCase().replaceAll(/\W+/g, '-')}.ts`
    writeFileSync(file, toModule(snippet.code))
    return { ...snippet, url: pathToFileURL(file).href }
  })
  writeFileSync(`${folder}tsconfig.json`, JSON.stringify(PROJECT))
  return { modules, project: folder }
}

const PROJECT = {
  compilerOptions: { ...COMPILER_OPTIONS, isolatedModules: true },
  include: ['*.ts', '../../../__test__/types/*.test-d.ts'],
}

function toModule(snippet: string): string {
  const code = asStatements(snippet.replaceAll(/'@\/lib\/symphony((?:\/[\w-]+)?)'/g, "'@leadmap/symphony$1'"))
  const constants = [...code.matchAll(/^const (?:\{ (\w+) \}|(\w+)) =/gm)].map(([, taken, named]) => taken ?? named)
  return `${presumed(code)}${code}\nexport { ${constants.join(', ')} }\n`
}

/** An object, or some keys of one, is shown as a configuration. */
function asStatements(code: string): string {
  if (/^\{/.test(code)) return `export const config: SymphonyConfig = ${code}`
  if (/^\w+: \{/.test(code)) return `export const config: SymphonyConfig = {\n${code}}`
  return code
}

function presumed(code: string): string {
  const imported = [...code.matchAll(/^import (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = '']) => names.split(/\W+/))
  const isMissing = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(code) &&
    !imported.includes(name) &&
    !new RegExp(`\\b(?:interface|class|const)(?: \\{)? ${name}\\b`).test(code)
  return Object.entries(PRESUMED)
    .map(([line, names]) => [line, names.filter(isMissing)] as const)
    .filter(([, names]) => names.length > 0)
    .map(([line, names]) => `${line.replace('#', names.join(', '))}\n`)
    .join('')
}
