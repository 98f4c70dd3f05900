import { SELECTIONS, type Selection } from '@/lib/selection'
import type { Row } from '@/lib/shown'
import { State } from './state'

interface Props {
  rows: Row[]
  selection: Selection
  select: (selection: Selection) => void
  /** Opens the drawer. */
  show: (id: string) => void
}

const NAMES: Record<Selection, string> = { newest: 'Newest', busy: 'To busy@…', failed: 'Dead letters' }

/** The list of messages. */
export function Messages({ rows, selection, select, show }: Props) {
  return (
    <section className="panel" aria-labelledby="messages">
      <header>
        <h2 id="messages">Messages</h2>
        <fieldset className="choice">
          <legend>Which messages</legend>
          {SELECTIONS.map((one) => (
            <label key={one}>
              <input type="radio" name="show" checked={one === selection} onChange={() => select(one)} />
              {NAMES[one]}
            </label>
          ))}
        </fieldset>
      </header>
      {rows.length === 0 && <p className="none">None.</p>}
      <ul className="messages">
        {rows.map((row) => (
          <li key={row.id}>
            <button type="button" onClick={() => show(row.id)} aria-haspopup="dialog">
              <span className="to">{row.to}</span>
              <State {...row} />
              <span className="type">{row.type}</span>
              <span className="error">{row.lastError}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
