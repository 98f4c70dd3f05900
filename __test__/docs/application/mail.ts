/** The mail code of the application that the documents show. */

export async function send(
  to: string,
  options: { signal?: AbortSignal; idempotencyKey?: string; text?: string } = {},
): Promise<void> {
  options.signal?.throwIfAborted()
  console.log(`to ${to}`)
}

export async function serverIsReady(): Promise<boolean> {
  return true
}

export async function isUnsubscribed(to: string): Promise<boolean> {
  return to === ''
}
