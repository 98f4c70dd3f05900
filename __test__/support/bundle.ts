import { ensureBundle } from '../../scripts/setup/bundle.mjs'

/** The programs of the tests import the package by its name, and so its bundle: that has to be of today. */
export default ensureBundle
