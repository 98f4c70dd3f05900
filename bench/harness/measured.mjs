/** Wall time, CPU time and memory of a measurement in this process. */

/**
 * @param {() => Promise<object | void>} work Its answer goes into the result.
 */
export async function measured(work) {
  const startedAt = performance.timeOrigin + performance.now()
  const cpu = process.cpuUsage()
  const more = await work()
  const endedAt = performance.timeOrigin + performance.now()
  const { user, system } = process.cpuUsage(cpu)
  return {
    ms: endedAt - startedAt,
    startedAt,
    endedAt,
    cpu: (user + system) / 1e6,
    rssMb: process.resourceUsage().maxRSS / 1024,
    ...more,
  }
}
