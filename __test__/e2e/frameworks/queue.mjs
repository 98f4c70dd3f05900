// The route that every application here mounts.
import { registerHandler } from '@leadmap/symphony'
import { bearerToken, createSymphonyRoute } from '@leadmap/symphony/http'

registerHandler('Greeting', ({ payload }) => {
  console.log(JSON.stringify({ greeted: payload.name }))
})

export const route = createSymphonyRoute({ authorize: bearerToken('token') })
