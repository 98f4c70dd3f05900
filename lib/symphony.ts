/** The composition root: the one file that connects parts that do not know each other. Every entry begins with it. */
import { whenCoreIsMade } from './core/core.js'
import { connectInline } from './handlers/inline.js'

whenCoreIsMade(connectInline)
