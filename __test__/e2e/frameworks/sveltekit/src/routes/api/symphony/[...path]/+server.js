import { route } from '../../../../queue.mjs'

export const GET = ({ request }) => route.handle(request)
export const POST = ({ request }) => route.handle(request)
export const DELETE = ({ request }) => route.handle(request)
