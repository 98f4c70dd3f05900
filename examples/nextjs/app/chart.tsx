import { type Run, type Share, shareOf } from '@/lib/run'

/** From the bottom of the chart upwards. */
const KINDS: Array<[keyof Share, string]> = [
  ['failed', 'Failed'],
  ['done', 'Done'],
  ['running', 'Running'],
  ['retrying', 'Retrying'],
  ['due', 'Due'],
]

/** A run shorter than this does not fill the chart, in milliseconds. */
const NARROWEST = 5_000

/** The messages of a run over time, stacked by what has become of them. The figures above it are its legend. */
export function Chart({ run }: { run: Run }) {
  const { before, samples, last } = run
  const shares = samples.map((sample) => shareOf(run, sample))
  const now = shareOf(run, last)
  const most = Math.max(...shares.map(total))
  const span = Math.max(last.at - before.at, NARROWEST)
  const x = (index: number) => (((samples[index]?.at ?? 0) - before.at) / span) * 100

  return (
    <>
      <dl className="figures">
        {KINDS.toReversed().map(([kind, name]) => (
          <div key={kind} className={kind}>
            <dt>{name}</dt>
            <dd>{now[kind].toLocaleString('en')}</dd>
          </div>
        ))}
      </dl>
      {most === 0 ? (
        <p className="chart none">What you send appears here.</p>
      ) : (
        <div className="chart" role="img" aria-label={described(now)}>
          <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            {KINDS.map(([kind], band) => (
              <path key={kind} className={kind} d={area(shares, band, most, x)} />
            ))}
          </svg>
          <span className="most">{most.toLocaleString('en')}</span>
          <span className="least">0</span>
          <span className="start">0 s</span>
          <span className="end">{seconds(span)}</span>
        </div>
      )}
    </>
  )
}

/** One band: along its upper edge, and back along its lower one. */
function area(shares: Share[], band: number, most: number, x: (index: number) => number): string {
  const edge = (bands: number) =>
    shares.map((share, index) => `${x(index).toFixed(2)} ${(100 - (sum(share, bands) / most) * 100).toFixed(2)}`)
  return `M${[...edge(band + 1), ...edge(band).reverse()].join('L')}Z`
}

function sum(share: Share, bands: number): number {
  return KINDS.slice(0, bands).reduce((height, [kind]) => height + share[kind], 0)
}

function total(share: Share): number {
  return sum(share, KINDS.length)
}

function described(share: Share): string {
  return `Messages over time; now ${KINDS.map(([kind, name]) => `${name.toLowerCase()}: ${share[kind]}`).join(', ')}`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`
}
