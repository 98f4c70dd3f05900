import { execFileSync } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { findProgram } from '../../../scripts/servers/program.mjs'

/**
 * A client and a server with a router between them, that can drop every packet and tell nobody: two network namespaces
 * of Linux, one for the client, one for the router; the server is this machine.
 */
export interface Network {
  /** Runs a command where the client is; to be put before it. */
  readonly client: readonly string[]
  /** The server's address, as the client has it. */
  readonly server: string
  /** The network of the client, for the server's list of those who may log in. */
  readonly clients: string
  /** From now on no packet comes through, either way, and no answer says so. */
  drop(): void
  /** Packets come through again. */
  restore(): void
}

/** Builds one, and takes it down with the test; `missing`: why there can be none here. */
export async function buildNetwork(): Promise<Network | { missing: string }> {
  if (process.platform !== 'linux') return { missing: 'network namespaces are a thing of Linux' }
  const program = await findProgram('ip', 'iproute2')
  if ('missing' in program) return program
  const ip = (...words: string[]) => void execFileSync(program.path, words, { stdio: 'pipe' })
  const run = (line: string) => ip(...line.split(' '))
  const name = `symphony-${process.pid}`
  const [client, router] = [`${name}-c`, `${name}-r`]
  // At most 15 characters.
  const link = `sy${process.pid}`
  const [near, far] = [`10.${200 + (process.pid % 50)}.1`, `10.${200 + (process.pid % 50)}.2`]
  const steps = [
    `link add wire netns ${client} type veth peer name near netns ${router}`,
    `link add ${link} type veth peer name far netns ${router}`,
    `-n ${client} addr add ${near}.2/24 dev wire`,
    `-n ${router} addr add ${near}.1/24 dev near`,
    `-n ${router} addr add ${far}.1/24 dev far`,
    `addr add ${far}.2/24 dev ${link}`,
    `-n ${client} link set wire up`,
    `-n ${router} link set near up`,
    `-n ${router} link set far up`,
    `link set ${link} up`,
    `-n ${client} route add default via ${near}.1`,
    `route add ${near}.0/24 via ${far}.1`,
  ]
  onTestFinished(() => {
    // What was not built cannot be taken down. The wire first: with its namespace it would go some time later.
    for (const line of [`link del ${link}`, `netns del ${client}`, `netns del ${router}`]) {
      try {
        run(line)
      } catch {}
    }
  })
  try {
    run(`netns add ${client}`)
    run(`netns add ${router}`)
    ip('netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    for (const step of steps) run(step)
  } catch (error) {
    return { missing: `no network namespaces here: ${(error as Error).message.split('\n').at(-2)}` }
  }
  const routes = (what: string) => {
    for (const host of [`${near}.2`, `${far}.2`]) run(`-n ${router} route ${what} blackhole ${host}/32`)
  }
  return {
    client: [program.path, 'netns', 'exec', client],
    server: `${far}.2`,
    clients: `${near}.0/24`,
    drop: () => routes('add'),
    restore: () => routes('del'),
  }
}
