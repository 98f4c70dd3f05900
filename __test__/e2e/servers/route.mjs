// The route that every server here serves, and how it tells its port.
import { registerHandler } from '@leadmap/symphony'
import { bearerToken, createSymphonyRoute } from '@leadmap/symphony/http'

registerHandler('Greeting', ({ payload }) => {
  console.log(JSON.stringify({ greeted: payload.name }))
})

/** @param {import('@leadmap/symphony/http').SymphonyRouteOptions} [options] */
export const route = (options) => createSymphonyRoute({ authorize: bearerToken('token'), ...options })

/** @param {number} port */
export const tell = (port) => console.log(JSON.stringify({ port }))
