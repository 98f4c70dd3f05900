/** The package and the platform package of this machine, packed as a release does. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { npm } from './dependencies.mjs'
import { at } from './paths.mjs'

/**
 * @param {string} addon Path of the addon.
 * @param {string} stage A folder, where the tarballs will be; `stage` in it is used on the way.
 * @returns {Promise<[main: string, platform: string]>} Paths of the tarballs.
 */
export async function packRelease(addon, stage) {
  const platform = platformOf(addon)
  const folders = { main: join(stage, 'stage', 'main'), platform: join(stage, 'stage', 'platform') }
  rmSync(join(stage, 'stage'), { recursive: true, force: true })
  mkdirSync(folders.main, { recursive: true })
  copyPackage(folders.main)
  namePlatform(join(folders.main, 'package.json'), platform)
  copyPlatform(addon, folders.platform)
  return [await pack(folders.main, stage), await pack(folders.platform, stage)]
}

/**
 * The files that npm packs, without the addons of a local build, of which a release has none.
 *
 * @param {string} folder
 */
export function copyPackage(folder) {
  const { files } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
  for (const path of ['package.json', 'README.md', 'LICENSE', ...files.filter((path) => !path.includes('*'))]) {
    cpSync(at(path), join(folder, path), { recursive: true })
  }
}

/** The platform package with this addon in it. @param {string} addon @param {string} folder */
export function copyPlatform(addon, folder) {
  cpSync(at('npm', platformOf(addon)), folder, { recursive: true })
  copyFileSync(addon, join(folder, basename(addon)))
}

/** Such as `linux-x64-gnu`. @param {string} addon */
export function platformOf(addon) {
  return String(/^symphony\.(.+)\.node$/.exec(basename(addon))?.[1])
}

/** As `napi pre-publish` does for all platforms. @param {string} manifest @param {string} platform */
function namePlatform(manifest, platform) {
  const fields = JSON.parse(readFileSync(manifest, 'utf8'))
  const optionalDependencies = { [`${fields.name}-${platform}`]: fields.version }
  writeFileSync(manifest, JSON.stringify({ ...fields, optionalDependencies }, null, 2))
}

/** @param {string} folder @param {string} stage */
async function pack(folder, stage) {
  const options = ['--json', '--silent', '--ignore-scripts', '--pack-destination', stage]
  const [packed] = JSON.parse(await npm(['pack', ...options], { cwd: folder }))
  return join(stage, packed.filename)
}
