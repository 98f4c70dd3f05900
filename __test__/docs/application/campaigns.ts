/** The campaigns of the application that the recipes show. */

const cancelled = new Set<string>()

export async function markCancelled(id: string): Promise<void> {
  cancelled.add(id)
}

export async function isCancelled(id: string): Promise<boolean> {
  return cancelled.has(id)
}
