'use client'

import { useEffect, useState } from 'react'

/** Milliseconds between an answer and the next question. */
const PAUSE = 400

/** What a path answers, asked again and again while the page is visible, and whether it did the last time. */
export function usePolled<T>(path: string, first: T): { data: T; answers: boolean } {
  const [state, setState] = useState({ data: first, answers: true })

  useEffect(() => {
    let isOver = false
    let timer: ReturnType<typeof setTimeout>

    async function ask(): Promise<void> {
      try {
        const answer = await fetch(path)
        if (!answer.ok) throw new Error(answer.statusText)
        const data: T = await answer.json()
        if (!isOver) setState({ data, answers: true })
      } catch {
        if (!isOver) setState(({ data }) => ({ data, answers: false }))
      }
      if (!isOver) timer = setTimeout(askIfSeen, PAUSE)
    }

    function askIfSeen(): void {
      if (!document.hidden) ask()
      else timer = setTimeout(askIfSeen, PAUSE)
    }

    ask()
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [path])

  return state
}
