/** What JSON would lose of a value without a word, and what to send instead. */
import { types } from 'node:util'
import { showsNothing } from '../base/plain-object.js'

/** Why JSON loses what a value is, with the remedy; `undefined` if it does not. Looks at the value, not at its members. */
export function lossOf(value: unknown): string | undefined {
  switch (typeof value) {
    case 'undefined':
      return 'is undefined, which becomes null in an array; write null, or leave it out'
    case 'function':
      return 'is a function, which JSON leaves out; send what it returns'
    case 'symbol':
      return 'is a symbol, which JSON leaves out; send its description'
    case 'number':
      return Number.isFinite(value) ? undefined : lostNumber(value)
    case 'object':
      return value === null || Array.isArray(value) ? undefined : lostObject(value)
    default:
      return undefined
  }
}

function lostNumber(value: number): string {
  const beyond = Number.isNaN(value) ? '' : ', or a number beyond a double (1.8e308)'
  return `is ${value}${beyond}, of which JSON makes null; write null or a text`
}

function lostObject(value: object): string | undefined {
  const kind = builtIn(value)
  if (kind !== undefined) return `is ${kind.name}, whose contents JSON does not show; ${kind.remedy}`
  if (!showsNothing(value)) return undefined
  const name = value.constructor?.name || 'class instance'
  return `is a ${name}, whose contents JSON does not show; send its data as a plain object, or give it a toJSON()`
}

/** What a value is, if it is a built-in object that JSON empties or turns into something else. */
export function builtIn(value: object): Kind | undefined {
  return KINDS.find(({ is }) => is(value))
}

interface Kind {
  name: string
  is(value: object): boolean
  remedy: string
}

const ENTRIES = 'send Object.fromEntries(…) of it'
const KINDS: readonly Kind[] = [
  { name: 'a Map', is: (value) => types.isMap(value) || types.isWeakMap(value), remedy: ENTRIES },
  { name: 'a Set', is: (value) => types.isSet(value) || types.isWeakSet(value), remedy: 'send […set]' },
  { name: 'a RegExp', is: types.isRegExp, remedy: 'send its source' },
  { name: 'an Error', is: types.isNativeError, remedy: 'send its message' },
  { name: 'a Promise', is: types.isPromise, remedy: 'an await is missing' },
  {
    name: 'a binary buffer',
    is: (value) => types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value),
    remedy: "send Buffer.from(…).toString('base64') of it, or store it elsewhere and send its address",
  },
  { name: 'a Headers', is: isTagged('Headers'), remedy: ENTRIES },
  { name: 'a FormData', is: isTagged('FormData'), remedy: ENTRIES },
  { name: 'a URLSearchParams', is: isTagged('URLSearchParams'), remedy: ENTRIES },
]

/** Classes of the platform by the name that they give themselves: there may be several of each. */
function isTagged(name: string): (value: object) => boolean {
  return (value) => Object.prototype.toString.call(value) === `[object ${name}]`
}
