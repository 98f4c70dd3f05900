import { toNodeHandler } from '@leadmap/symphony/http'
import express from 'express4'
import { route, tell } from './route.mjs'

const app = express()
app.use('/api/symphony', toNodeHandler(route()))
const server = app.listen(0, () => tell(server.address().port))
