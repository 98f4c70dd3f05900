import { detail } from '@/lib/overview'
import '@/lib/symphony'

/** One message, for the drawer of the page; `null` if it does not exist any more. */
export async function GET(_request: Request, { params }: { params: Promise<{ id: string }> }): Promise<Response> {
  const { id } = await params
  return Response.json(await detail(id))
}
