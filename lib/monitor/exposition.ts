/** The text exposition format of Prometheus, version 0.0.4. Pure. */

/** All samples of one metric. */
export interface Family {
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  samples: Sample[]
}

/** One figure. */
export interface Sample {
  /** What the name of the family is followed by, in a histogram. */
  suffix?: '_bucket' | '_sum' | '_count'
  labels: Record<string, string>
  value: number
}

/** The families as text. */
export function textOf(families: Family[]): string {
  return families.map(family).join('')
}

function family({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ suffix = '', labels, value }) => `${name}${suffix}{${pairs(labels)}} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}

function pairs(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([key, text]) => `${key}="${escaped(text)}"`)
    .join()
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
