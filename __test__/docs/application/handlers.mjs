/** The handlers of the application that the documents show. */
import { registerHandler } from '@leadmap/symphony'

registerHandler('OrderPlaced', () => undefined)
