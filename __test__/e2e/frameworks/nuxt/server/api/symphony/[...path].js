import { route } from '../../queue.mjs'

export default defineEventHandler((event) => route.handle(toWebRequest(event)))
