/** A route that is mounted below `/api/symphony` of a server. */
import { expect } from 'vitest'

/**
 * It dispatches, drains, and answers 401, 200 and 404.
 *
 * @param greeted what the handler of `Greeting` has said, which the server prints.
 * @param options.guarded whether the framework refuses a POST that may come from a form of another site.
 */
export async function checkMounted(
  port: number,
  name: string,
  greeted: () => Promise<unknown>,
  { guarded = false } = {},
): Promise<void> {
  const call = async (method: string, path: string, given?: object, authorization = 'Bearer token') => {
    const headers: Record<string, string> = given
      ? { authorization, 'content-type': 'application/json' }
      : { authorization }
    const init = { method, headers, body: given && JSON.stringify(given) }
    const response = await fetch(`http://localhost:${port}/api/symphony${path}`, init)
    const text = await response.text()
    const body = (text.startsWith('{') ? JSON.parse(text) : { text }) as Record<string, unknown>
    return { status: response.status, body }
  }
  const message = { type: 'Greeting', payload: { name } }
  expect(await call('POST', '/dispatch', { message })).toMatchObject({ status: 201, body: { success: true } })
  if (guarded)
    expect(await call('POST', '/consume')).toMatchObject({
      status: 403,
      body: { text: expect.stringContaining('Cross-site') },
    })
  const drained = await call('POST', '/consume', guarded ? {} : undefined)
  expect(drained).toMatchObject({ status: 200, body: { succeeded: 1 } })
  expect(await greeted()).toEqual({ greeted: name })
  expect((await call('GET', '/status', undefined, 'Bearer wrong')).status).toBe(401)
  expect(await call('GET', '/status')).toMatchObject({ status: 200, body: { queue: { depth: 0 } } })
  expect((await call('GET', '/nothing')).status).toBe(404)
  expect((await call('GET', '')).body.endpoints).toContain('POST dispatch')
}
