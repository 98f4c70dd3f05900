/** The package and the platform package of this machine, packed as a release does. */
import { copyFileSync, cpSync } from 'node:fs'
import { basename, join } from 'node:path'
import { npm } from './dependencies.mjs'
import { at, root } from './paths.mjs'

/**
 * @param {string} addon Path of the addon.
 * @param {string} stage An empty folder, where the tarballs will be.
 * @returns {Promise<[main: string, platform: string]>} Paths of the tarballs.
 */
export async function packRelease(addon, stage) {
  return [await pack(root, stage), await pack(stagePlatformPackage(addon, stage), stage)]
}

/** @param {string} folder @param {string} stage */
async function pack(folder, stage) {
  const options = ['--json', '--silent', '--ignore-scripts', '--pack-destination', stage]
  const [packed] = JSON.parse(await npm(['pack', ...options], { cwd: folder }))
  return join(stage, packed.filename)
}

/** The platform package with this addon in it. @param {string} addon @param {string} stage */
function stagePlatformPackage(addon, stage) {
  const [, platform] = /^symphony\.(.+)\.node$/.exec(basename(addon)) ?? []
  const folder = join(stage, 'platform')
  cpSync(at('npm', String(platform)), folder, { recursive: true })
  copyFileSync(addon, join(folder, basename(addon)))
  return folder
}
