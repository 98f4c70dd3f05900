/** Whether an object has no class of its own: a literal, or one without a prototype. */
export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Whether an object of a class, such as a `Map`, an empty array or a `Promise`, has no fields that JSON or options show. */
export function showsNothing(value: object): boolean {
  return isInstance(value) && Object.keys(value).length === 0
}

/** Whether its prototype has one too: an instance of a class, and no plain object of this or of another realm. */
function isInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== null && Object.getPrototypeOf(prototype) !== null
}
