import type { ReactNode } from 'react'
import type { Overview } from '@/lib/overview'
import { seconds } from './chart'

/** The queues, and the application's own tables. */
export function Tables({ queues, campaigns, drips, flags }: Overview) {
  return (
    <section className="panel tables">
      <Table title="Queues" heads={['Queue', 'Due', 'Later', 'Running', 'Oldest']}>
        {queues.map(({ transport, queue, pending, delayed, processing, oldestAge }) => (
          <tr key={`${transport}/${queue}`}>
            <th scope="row">{queue}</th>
            <td>{pending}</td>
            <td>{delayed}</td>
            <td>{processing}</td>
            <td>{oldestAge === null ? '' : seconds(oldestAge)}</td>
          </tr>
        ))}
      </Table>
      <Table title="Campaigns" heads={['Name', 'Status', 'Recipients', 'Steps to come']}>
        {campaigns.map(({ id, name, status, recipients, open }) => (
          <tr key={id}>
            <th scope="row">{name}</th>
            <td>{status}</td>
            <td>{recipients}</td>
            <td>{open}</td>
          </tr>
        ))}
      </Table>
      <Table title="SMS drips" heads={['Name', 'Phones', 'Texts to come']}>
        {drips.map(({ id, name, phones, open }) => (
          <tr key={id}>
            <th scope="row">{name}</th>
            <td>{phones}</td>
            <td>{open}</td>
          </tr>
        ))}
      </Table>
      <Table title="Feature flags" heads={['Flag', 'State']}>
        {Object.entries(flags).map(([flag, on]) => (
          <tr key={flag}>
            <th scope="row">{flag}</th>
            <td>{on ? 'on' : 'off'}</td>
          </tr>
        ))}
      </Table>
    </section>
  )
}

/** Nothing where there is nothing to show. */
function Table({ title, heads, children }: { title: string; heads: string[]; children: ReactNode[] }) {
  if (children.length === 0) return null
  return (
    <section>
      <h2>{title}</h2>
      <table>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  )
}
