/** What the documents use of Next.js, which is not a dependency. */
declare module 'next/server' {
  export function after(task: () => unknown): void
}
