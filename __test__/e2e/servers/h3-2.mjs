// What Nitro 3 is made of.
import { defineHandler, H3, serve } from 'h3'
import { route, tell } from './route.mjs'

const { handle } = route()
const handler = defineHandler((event) => handle(event.req))
const server = await serve(new H3().all('/api/symphony/**', handler), { port: 0, silent: true }).ready()
tell(Number(new URL(server.url).port))
