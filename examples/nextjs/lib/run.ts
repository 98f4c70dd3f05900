/** A run, for the chart: from work that comes into an empty queue until the queue is empty again; pure. */

/** How many messages there are of each kind; `done` and `failed` since the server started. */
export interface Counts {
  /** When they were counted, in milliseconds since 1970. */
  at: number
  due: number
  retrying: number
  running: number
  done: number
  failed: number
}

export interface Run {
  /** What was counted before it. */
  before: Counts
  /** What was counted since, oldest first. */
  samples: Counts[]
  /** The last of them. */
  last: Counts
}

/** How much a run consists of. `done` and `failed` are those of the run. */
export type Share = Omit<Counts, 'at'>

/** A run with more samples loses every second one. */
const MOST_SAMPLES = 600

/** A run that begins where the page is opened. */
export function startRun(counts: Counts): Run {
  return { before: counts, samples: [counts], last: counts }
}

/** The run after another look at the queue. While the queue stays empty, it is that of the last run. */
export function withSample(run: Run, counts: Counts): Run {
  const { before, samples, last } = run
  // The server started again, and counts from 0.
  if (finished(counts) < finished(last)) return startRun(counts)
  if (open(last) > 0) return { before, samples: [...thinned(samples), counts], last: counts }
  if (open(counts) === 0 && finished(counts) === finished(last)) return run
  return { before: { ...last, at: counts.at }, samples: [counts], last: counts }
}

/** What a sample says of its run. */
export function shareOf({ before }: Run, { at: _, ...counts }: Counts): Share {
  return { ...counts, done: counts.done - before.done, failed: counts.failed - before.failed }
}

/** Messages that are not finished. */
export function open({ due, retrying, running }: Share): number {
  return due + retrying + running
}

function finished({ done, failed }: Share): number {
  return done + failed
}

function thinned(samples: Counts[]): Counts[] {
  return samples.length < MOST_SAMPLES ? samples : samples.filter((_, index) => index % 2 === 0)
}
