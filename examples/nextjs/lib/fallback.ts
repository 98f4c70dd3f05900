import { type FeatureFlags, getFeatureFlags } from '@leadmap/symphony/utils'

/** Runs one of two ways, as the flag says. */
export async function withSymphonyFallback<T>(
  flag: keyof FeatureFlags,
  viaSymphony: () => T | Promise<T>,
  legacy: () => T | Promise<T>,
): Promise<T> {
  return getFeatureFlags()[flag] ? viaSymphony() : legacy()
}
