import { toNodeHandler } from '@leadmap/symphony/http'
import Koa from 'koa'
import { route, tell } from './route.mjs'

const app = new Koa()
const handler = toNodeHandler(route())
app.use((context, next) => (context.path.startsWith('/api/symphony') ? handler(context) : next()))
const server = app.listen(0, () => tell(server.address().port))
