/**
 * Writes docs/api-reference.md from the sources of the package: every name that an entry exports, as it is declared.
 *
 * `node scripts/api-reference.mjs`, after a change to something public.
 */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { at, root } from './setup/paths.mjs'

const ENTRIES = ['index', 'config', 'utils', 'next', 'testing']

/** The document. */
export function apiReference() {
  const program = ts.createProgram(
    ENTRIES.map((name) => at('lib', `${name}.ts`)),
    { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  )
  const checker = program.getTypeChecker()
  const sections = ENTRIES.map((name) => section(name, exportsOf(program, checker, name)))
  return `${BEGINNING}\n${ENTRIES.map((name) => `- [${title(name)}](#${anchor(title(name))})`).join('\n')}\n${sections.join('')}`
}

const BEGINNING = `# API reference

Written by a script from the sources: every name that the package exports, as it is declared there. The
[user guide](user-guide.md) and [nextjs.md](nextjs.md) say how to use them.
`

const title = (name) => (name === 'index' ? '@leadmap/symphony' : `@leadmap/symphony/${name}`)
const anchor = (heading) => heading.toLowerCase().replaceAll(/[^\w\- ]/g, '')

function exportsOf(program, checker, name) {
  const file = program.getSourceFile(at('lib', `${name}.ts`))
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file))
  return symbols
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
}

function section(name, symbols) {
  return `\n## ${title(name)}\n${symbols.map(entry).join('')}`
}

function entry(symbol) {
  const declarations = symbol.declarations ?? []
  const source = relative(root, declarations[0].getSourceFile().fileName).replaceAll('\\', '/')
  const shown = declarations.map(declared).filter(Boolean)
  return `\n### ${symbol.name}\n\nFrom \`${source}\`.\n\n\`\`\`text\n${shown.join('\n')}\n\`\`\`\n`
}

/** A declaration with its comment, without what is inside of functions and classes. */
function declared(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const text = node.getSourceFile().text
  const comments = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []
  const comment = comments.filter(({ pos }) => text.startsWith('/**', pos)).at(-1)
  const head = headOf(node, text)
  if (head === undefined) return undefined
  return `${comment ? `${text.slice(comment.pos, comment.end)}\n` : ''}${head}`
}

function headOf(node, text) {
  if (ts.isFunctionDeclaration(node)) {
    const overloads = /** @type {any} */ (node).symbol?.declarations?.length ?? 1
    if (node.body && overloads > 1) return undefined
    return text.slice(node.getStart(), node.body ? node.body.getStart() : node.end).trimEnd()
  }
  if (ts.isClassDeclaration(node)) return classOf(node, text)
  return text.slice(node.getStart(), node.end)
}

function classOf(node, text) {
  const head = text.slice(node.getStart(), node.members.pos).trimEnd()
  const members = node.members.filter(isPublic).map((member) => memberOf(member, text))
  return [head, ...members, '}'].join('\n')
}

function isPublic(member) {
  if (ts.isClassStaticBlockDeclaration(member) || !member.name) return ts.isConstructorDeclaration(member)
  const flags = ts.getCombinedModifierFlags(member)
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  return !ts.isPrivateIdentifier(member.name) && !ts.isComputedPropertyName(member.name) && !(flags & hidden)
}

function memberOf(member, text) {
  const comments = ts.getLeadingCommentRanges(text, member.getFullStart()) ?? []
  const comment = comments.filter(({ pos }) => text.startsWith('/**', pos)).at(-1)
  const end = member.body ? member.body.getStart() : member.end
  return `  ${comment ? `${text.slice(comment.pos, comment.end)}\n  ` : ''}${text.slice(member.getStart(), end).trimEnd()}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(at('docs', 'api-reference.md'), apiReference())
}
