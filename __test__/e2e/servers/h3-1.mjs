// What Nuxt and Nitro 2 are made of.
import { createServer } from 'node:http'
import { createApp, createRouter, defineEventHandler, toNodeListener, toWebRequest } from 'h3-1'
import { route, tell } from './route.mjs'

const { handle } = route()
const handler = defineEventHandler((event) => handle(toWebRequest(event)))
const router = createRouter().use('/api/symphony', handler).use('/api/symphony/**', handler)
const server = createServer(toNodeListener(createApp().use(router))).listen(0, () => tell(server.address().port))
