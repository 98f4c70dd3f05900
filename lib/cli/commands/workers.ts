/** `symphony workers` and `releases`: who is at work, and since when which release is. */
import type { Command } from 'commander'
import type { ReleaseInfo, WorkerInfo } from '../../admin.js'
import { onQueue } from '../acting.js'
import { distance } from '../format.js'
import { print } from '../listing.js'
import type { Output } from '../output.js'

/** Adds the commands. */
export function addWorkers(program: Command): void {
  program
    .command('workers')
    .summary('workers and drains at work, wherever they run')
    .description('Workers and drains of all processes, those that came last first, with what they have in hand.')
    .action(
      onQueue(async ({ library }, { out }) => {
        const row = (worker: WorkerInfo) => workerRow(worker, out)
        print(await library.listWorkers(), { columns: WORKERS, row, empty: 'nobody is at work' }, out)
      }),
    )
  program
    .command('releases')
    .summary('releases of the application that were at work')
    .description('Releases that were seen at work, the newest first: SYMPHONY_RELEASE, or the commit of the platform.')
    .action(
      onQueue(async ({ library }, { out }) => {
        print(await library.listReleases(), { columns: RELEASES, row: releaseRow, empty: 'no release was named' }, out)
      }),
    )
}

const WORKERS = [
  { title: 'ID' },
  { title: 'HOST' },
  { title: 'PID', right: true },
  { title: 'KIND' },
  { title: 'SINCE' },
  { title: 'BEAT' },
  { title: 'IN HAND', right: true },
  { title: 'TRANSPORTS' },
  { title: 'RELEASE' },
  { title: '' },
]

function workerRow(worker: WorkerInfo, { paint }: Output): string[] {
  const { id, host, pid, kind, startedAt, lastBeatAt, inFlight, concurrency, transports, release, alive, stopAt } =
    worker
  const state = alive ? (stopAt === null ? '' : paint.yellow('asked to stop')) : paint.red('✗ died')
  return [
    id,
    host,
    String(pid),
    kind ?? '–',
    distance(startedAt, Date.now()),
    distance(lastBeatAt, Date.now()),
    concurrency === null ? String(inFlight) : `${inFlight} of ${concurrency}`,
    transports.join(', '),
    release ?? '–',
    state,
  ]
}

const RELEASES = [{ title: 'RELEASE' }, { title: 'VERSION' }, { title: 'FIRST SEEN' }]

function releaseRow({ release, version, firstAt }: ReleaseInfo): string[] {
  return [release, version ?? '–', distance(firstAt, Date.now())]
}
