/**
 * Replaces the package where no addon can be loaded: on the Edge runtime and in browsers. The build makes a module of
 * it for each entry, with the same names, so that importing is harmless and the first use says what to do.
 *
 * It imports nothing, because everything else here needs Node.js.
 */

class ConfigurationError extends Error {
  readonly code = 'SYMPHONY_EDGE_RUNTIME'

  constructor(used: string) {
    super(
      `${used} of @leadmap/symphony needs a native addon, which runs on Node.js alone, not on the Edge runtime and not ` +
        "in a browser: remove `export const runtime = 'edge'` from the route that uses it; in a client component, call " +
        'a route or a server action',
    )
    this.name = 'ConfigurationError'
  }
}

/** Something that refuses to be called, constructed or read. */
export function refusing(name: string): unknown {
  const refuse = (): never => {
    throw new ConfigurationError(name)
  }
  // A class, since an arrow function could not be constructed.
  return new Proxy(class {}, {
    apply: refuse,
    construct: refuse,
    // Bundlers and test runners look at symbols, `then` and `prototype` of whatever they import.
    get: (target, key) => (typeof key === 'symbol' || HARMLESS.has(key) ? Reflect.get(target, key) : refuse()),
  })
}

const HARMLESS = new Set(['then', 'prototype', 'name', 'length', 'displayName', '$$typeof', '__esModule'])
