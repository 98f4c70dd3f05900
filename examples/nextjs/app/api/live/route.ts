import { overview } from '@/lib/overview'
import { SELECTIONS } from '@/lib/selection'
import '@/lib/symphony'

/** What the page asks for again and again. As open as the page, which a real application puts behind its log-in. */
export async function GET(request: Request): Promise<Response> {
  const asked = new URL(request.url).searchParams.get('show')
  const selection = SELECTIONS.find((one) => one === asked)
  if (selection === undefined) return Response.json({ error: `show wants ${SELECTIONS.join(', ')}` }, { status: 400 })
  return Response.json(await overview(selection))
}
