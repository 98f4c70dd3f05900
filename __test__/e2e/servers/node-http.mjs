import { createServer } from 'node:http'
import { toNodeHandler } from '@leadmap/symphony/http'
import { route, tell } from './route.mjs'

const server = createServer(toNodeHandler(route())).listen(0, () => tell(server.address().port))
