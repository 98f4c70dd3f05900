// Its handler of requests, over what its build would have made of one route.
import { serve } from '@hono/node-server'
import { createRequestHandler } from 'react-router'
import { route, tell } from './route.mjs'

const { handle } = route()
const loader = ({ request }) => handle(request)
const symphony = { id: 'symphony', path: 'api/symphony/*', module: { loader, action: loader } }
const build = {
  routes: { symphony },
  entry: { module: {} },
  assets: { entry: { module: '', imports: [] }, routes: {}, url: '', version: '' },
  publicPath: '/',
  assetsBuildDirectory: '',
  future: {},
  ssr: true,
  isSpaMode: false,
  prerender: [],
  routeDiscovery: { mode: 'initial' },
}
serve({ fetch: createRequestHandler(build), port: 0 }, ({ port }) => tell(port))
