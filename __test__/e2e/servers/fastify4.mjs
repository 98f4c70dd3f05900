import { toNodeHandler } from '@leadmap/symphony/http'
import fastify from 'fastify4'
import { route, tell } from './route.mjs'

const app = fastify()
app.all('/api/symphony', toNodeHandler(route()))
app.all('/api/symphony/*', toNodeHandler(route()))
await app.listen({ port: 0 })
tell(app.server.address().port)
