/** Where the example is. */
import { join } from 'node:path'
import { at } from '../setup/paths.mjs'

export const example = at('examples', 'nextjs')

/** @param {string[]} names */
export const inExample = (...names) => join(example, ...names)

/** The program that `next` is. */
export const next = inExample('node_modules', 'next', 'dist', 'bin', 'next')
