import type { TestDatabase } from '../../support/database.js'

/** Makes a schedule due since so long, by moving its next run; answers with that instant. */
export async function dueSince(database: TestDatabase, name: string, interval: string): Promise<Date> {
  const [row] = await database.query<{ at: Date }>(
    `UPDATE symphony.messenger_schedules
     SET next_run_at = date_trunc('milliseconds', now() - $2::interval), nominal_run_at = date_trunc('milliseconds', now() - $2::interval)
     WHERE name = $1 RETURNING next_run_at AS at`,
    [name, interval],
  )
  if (row === undefined) throw new Error(`no schedule ${name}`)
  return row.at
}
