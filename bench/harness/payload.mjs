/**
 * The payload of every system: about 100 bytes of JSON, or padded to `bytes`.
 *
 * @param {number} n
 * @param {number} [bytes]
 */
export function payload(n, bytes = 0) {
  const small = { n, to: `user${n}@example.com`, template: 'welcome', locale: 'en-GB' }
  return bytes > 100 ? { ...small, pad: 'x'.repeat(bytes - 100) } : small
}
