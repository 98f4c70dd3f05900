/** Lists that come page by page. */

/** One page, and where the next one begins. */
export interface Page<T> {
  messages: T[]
  nextCursor: string | null
}

/** The largest page that the package hands out. */
const LARGEST = 1_000

/** The first so many, however few a page has; and where the others begin. */
export async function firstOf<T>(
  most: number,
  cursor: string | undefined,
  read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>,
): Promise<Page<T>> {
  const messages: T[] = []
  let next: string | null = cursor ?? null
  do {
    const limit = Math.min(LARGEST, most - messages.length)
    const page: Page<T> = await read(next === null ? { limit } : { limit, cursor: next })
    messages.push(...page.messages)
    next = page.nextCursor
  } while (next !== null && messages.length < most)
  return { messages, nextCursor: next }
}

/** All of them, a page at a time. */
export async function* allOf<T>(
  read: (page: { limit: number; cursor?: string }) => Promise<Page<T>>,
): AsyncGenerator<T> {
  let next: string | null = null
  do {
    const page: Page<T> = await read(next === null ? { limit: LARGEST } : { limit: LARGEST, cursor: next })
    yield* page.messages
    next = page.nextCursor
  } while (next !== null)
}
