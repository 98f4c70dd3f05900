/** Where the recipes insert page views. */

/** What each INSERT had. */
export const insertions: object[][] = []
/** Errors that the next ones end with. */
export const failures: Error[] = []

export async function insertPageViews(views: object[]): Promise<void> {
  const failure = failures.pop()
  if (failure !== undefined) throw failure
  insertions.push(views)
}
