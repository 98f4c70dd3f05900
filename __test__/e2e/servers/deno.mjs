import { route, tell } from './route.mjs'

Deno.serve({ port: 0, onListen: ({ port }) => tell(port) }, route().handle)
