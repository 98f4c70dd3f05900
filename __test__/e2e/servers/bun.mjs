import { route, tell } from './route.mjs'

const server = Bun.serve({ fetch: route().handle, port: 0 })
tell(server.port)
