/** What the documents use of Next.js and React, which are no dependencies. */
declare module 'next' {
  export interface NextConfig {
    output?: 'standalone'
  }
}

declare module 'react' {
  export function Suspense(props: { children: unknown }): unknown
}

declare namespace JSX {
  interface IntrinsicElements {
    p: object
  }
  interface ElementChildrenAttribute {
    children: unknown
  }
}

declare module 'next/server' {
  export function after(task: () => unknown): void
  export function connection(): Promise<void>
}
