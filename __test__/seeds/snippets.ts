/** The TypeScript of the seed documents, snippet by snippet. */
import { readdirSync, readFileSync } from 'node:fs'

const documents = new URL('./documents/', import.meta.url)

export interface Snippet {
  /** Number of the document and heading, as `000 Batch Dispatch`; `(2)` is the second one under that heading. */
  name: string
  code: string
}

/** All blocks marked as TypeScript, in the order of the documents. */
export function readSnippets(): Snippet[] {
  return readdirSync(documents)
    .sort()
    .flatMap((file) => snippetsOf(file.slice(0, 3), readFileSync(new URL(file, documents), 'utf8')))
}

function snippetsOf(document: string, text: string): Snippet[] {
  const snippets: Snippet[] = []
  for (const block of text.matchAll(/^```typescript\n(.*?)^```/gms)) {
    const heading = [...text.slice(0, block.index).matchAll(/^#+ (.+)$/gm)].at(-1)?.[1]
    const name = `${document} ${heading}`
    const before = snippets.filter((snippet) => snippet.name.replace(/ \(\d+\)$/, '') === name).length
    snippets.push({ name: before === 0 ? name : `${name} (${before + 1})`, code: block[1] ?? '' })
  }
  return snippets
}
