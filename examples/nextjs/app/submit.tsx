'use client'

import type { ReactNode } from 'react'
import { useFormStatus } from 'react-dom'

/** The button of a form, which waits for its action. */
export function Submit({ children }: { children: ReactNode }) {
  const { pending } = useFormStatus()
  return (
    <button type="submit" aria-disabled={pending} onClick={(event) => pending && event.preventDefault()}>
      {children}
    </button>
  )
}
