/** Figures over several rounds. */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return null
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** @param {number[]} values @param {number} share From 0 to 1. */
export function percentile(values, share) {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
}

/** @param {number | null | undefined} value @param {number} [digits] Significant ones, where the number is small. */
export function rounded(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return null
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(digits))
}
