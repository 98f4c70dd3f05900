/** Colours on a terminal, numbers as people write them. */

const colour = process.stdout.isTTY === true && !process.env.NO_COLOR
const paint = (code) => (text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : String(text))

export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)
export const cyan = paint(36)

/** `6,000` for 6000. @param {number} value */
export const number = (value) => value.toLocaleString('en-US')
