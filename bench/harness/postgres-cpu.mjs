/** CPU time of a Postgres server on this machine. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ticksPerSecond = 100

/**
 * @param {string | undefined} dataDir
 * @returns {() => number | null} Seconds that the server has used so far, ended connections included; `null` where
 *   the system or the server's folder does not tell.
 */
export function postgresCpu(dataDir) {
  const postmaster = dataDir && postmasterOf(dataDir)
  if (!postmaster) return () => null
  return () => {
    const processes = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(stat)
      .filter((it) => it !== undefined)
    const own = processes.filter(({ pid, parent }) => pid === postmaster || parent === postmaster)
    // What ended children used is in the figures of their parent.
    return own.reduce((sum, { pid, used, ended }) => sum + used + (pid === postmaster ? ended : 0), 0)
  }
}

function postmasterOf(dataDir) {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0])
    return stat(String(pid)) && pid
  } catch {
    return undefined
  }
}

/** @param {string} pid */
function stat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const seconds = (from) => (Number(fields[from]) + Number(fields[from + 1])) / ticksPerSecond
    return { pid: Number(pid), parent: Number(fields[1]), used: seconds(11), ended: seconds(13) }
  } catch {
    return undefined
  }
}
