/** The documents of the application that the recipes show. */

export const versions = new Map<string, number>()
export const indexed: string[] = []

export async function versionOf(id: string): Promise<number | undefined> {
  return versions.get(id)
}

export async function indexDocument(id: string): Promise<void> {
  indexed.push(id)
}
