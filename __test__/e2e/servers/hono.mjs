import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { route, tell } from './route.mjs'

const app = new Hono()
const { handle } = route()
app.all('/api/symphony/*', (context) => handle(context.req.raw))
serve({ fetch: app.fetch, port: 0 }, ({ port }) => tell(port))
