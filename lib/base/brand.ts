/**
 * `instanceof` across copies of a class.
 *
 * After a hot reload, or with the package loaded as ESM and as CommonJS, two classes of one name exist. A branded class
 * recognizes the instances of all its copies and of their subclasses. A class without a brand of its own (an
 * application's subclass) is compared by prototype, as usual.
 */

const OWN_BRAND = Symbol('brand')

type Constructor = abstract new (...args: never[]) => object

/** The symbol under which the prototypes of all copies of the class `name` carry their brand. */
function brandOf(name: string): symbol {
  return Symbol.for(`leadmap.symphony.class.${name}`)
}

/** Brands a class and names its instances, whatever a minifier calls it; for use in its static block. */
export function brand(branded: Constructor, name: string): void {
  Object.defineProperty(branded.prototype, brandOf(name), { value: true })
  Object.defineProperty(branded.prototype, 'name', { value: name, writable: true, configurable: true })
  Object.defineProperty(branded, OWN_BRAND, { value: brandOf(name) })
}

/** The `Symbol.hasInstance` of a branded class and of its subclasses. */
export function hasBrand(asked: Constructor, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const own = Object.getOwnPropertyDescriptor(asked, OWN_BRAND)?.value as symbol | undefined
  if (own === undefined) return Object.prototype.isPrototypeOf.call(asked.prototype, value)
  return (value as Record<symbol, unknown>)[own] === true
}
