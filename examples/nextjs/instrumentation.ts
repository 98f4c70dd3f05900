/** Runs once, when the server starts. The Edge runtime can load no native module, and needs none. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === 'nodejs') await import('./lib/symphony')
}
