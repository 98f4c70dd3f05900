/** The parser has no types of its own. */
declare module 'parse-prometheus-text-format' {
  /** One metric with its samples, as the parser reads the text exposition format. Figures are texts. */
  export interface Family {
    name: string
    type: 'COUNTER' | 'GAUGE' | 'UNTYPED'
    help: string
    metrics: Array<{ labels?: Record<string, string>; value: string }>
  }

  export default function parse(text: string): Family[]
}
