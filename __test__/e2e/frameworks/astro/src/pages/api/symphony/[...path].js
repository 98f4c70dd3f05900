import { route } from '../../../queue.mjs'

export const prerender = false

export const ALL = ({ request }) => route.handle(request)
