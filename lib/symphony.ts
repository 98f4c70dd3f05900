/** The composition root: the only file that connects parts that do not know each other. Every entry starts with it. */
import { whenCoreIsMade } from './core/core.js'
import { connectInline } from './handlers/inline.js'

whenCoreIsMade(connectInline)
