/** Who may call the cron routes from before Symphony: those who send `Authorization: Bearer <CRON_SECRET>`. */
import { bearerToken } from '@leadmap/symphony/next'

const isCron = bearerToken(() => process.env.CRON_SECRET)

/** Answers a cron call: 401 without the secret, else what the work gives, as JSON. */
export async function cronRoute(request: Request, work: () => Promise<object>): Promise<Response> {
  if (!isCron(request)) return Response.json({ success: false, error: 'Unauthorized' }, { status: 401 })
  return Response.json({ success: true, ...(await work()) })
}
