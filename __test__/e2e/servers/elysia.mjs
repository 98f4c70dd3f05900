import { Elysia } from 'elysia'
import { route, tell } from './route.mjs'

// What is mounted sees the path below its own.
const { handle } = route({ basePath: '/' })
const app = new Elysia().mount('/api/symphony', handle)
const server = Bun.serve({ fetch: app.fetch, port: 0 })
tell(server.port)
