import type { Metadata, Viewport } from 'next'
import type { ReactNode } from 'react'
import './style.css'

export const metadata: Metadata = {
  title: 'Symphony at work',
  description: 'An application that sends its e-mails, campaigns and SMS through a message queue on Postgres.',
}

export const viewport: Viewport = { colorScheme: 'light dark' }

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  )
}
