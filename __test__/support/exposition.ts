import parse from 'parse-prometheus-text-format'

/** One line of the text exposition format. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

/**
 * The samples of a text in the exposition format of Prometheus, read by a parser of it. Told of a histogram, the parser
 * folds the buckets of all labels into one; as untyped series it reads each by itself.
 */
export function samplesOf(text: string): Sample[] {
  const families = parse(text.replaceAll(/^# TYPE \w+ histogram\n/gm, ''))
  return families.flatMap(({ name, metrics }) =>
    metrics.map(({ labels = {}, value }) => ({ name, labels, value: Number(value) })),
  )
}
