/** The mail code of the application that the documents show. */

export const sent: string[] = []
export const unsubscribed = new Set<string>()

export async function send(
  to: string,
  options: { signal?: AbortSignal; idempotencyKey?: string; text?: string } = {},
): Promise<void> {
  options.signal?.throwIfAborted()
  sent.push(options.text === undefined ? to : `${to}: ${options.text}`)
}

export async function serverIsReady(): Promise<boolean> {
  return true
}

export async function isUnsubscribed(to: string): Promise<boolean> {
  return unsubscribed.has(to)
}
