/** The composition root: the one file that connects parts that do not know each other. Every entry begins with it. */
import { whenCoreIsMade } from './core.js'
import { connectInline } from './inline.js'

whenCoreIsMade(connectInline)
