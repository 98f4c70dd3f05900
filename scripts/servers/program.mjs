/** Where the program is: Debian's package, installed when it is missing and this process may. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { outputOf, run } from '../setup/process.mjs'

/**
 * Finds a Debian package's program, and installs the package where that is possible.
 *
 * @param {string} program
 * @param {string} debianPackage
 * @returns {Promise<{ path: string } | { missing: string }>} `missing`: why it cannot be had.
 */
export async function findProgram(program, debianPackage) {
  const found = find(program)
  if (found) return { path: found }
  if (process.getuid?.() !== 0 || !find('apt-get')) {
    return { missing: `${program} is not installed, and only root with apt-get could (package ${debianPackage})` }
  }
  try {
    await install(debianPackage)
  } catch (error) {
    const output = outputOf(error)
    if (output === undefined) throw error
    return { missing: `${program} is not installed, and apt-get failed: ${output.trim().split('\n').at(-1)}` }
  }
  const installed = find(program)
  return installed ? { path: installed } : { missing: `package ${debianPackage} holds no ${program}` }
}

/** @param {string} program */
function find(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, program)).find(existsSync)
}

/** @param {string} debianPackage */
async function install(debianPackage) {
  // RUNLEVEL: a package that brings a service must not start it.
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  // Two processes may want a package at the same time.
  const parameters = ['-o', 'DPkg::Lock::Timeout=120', 'install', '--yes', '--no-install-recommends', debianPackage]
  await run('apt-get', parameters, { env }).catch(async () => {
    await run('apt-get', ['update'], { env })
    await run('apt-get', parameters, { env })
  })
}
