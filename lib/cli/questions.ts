/** Questions to the person at the terminal. The only file that knows the library, which is loaded with the first one. */
import { confirm, isCancel, text } from '@clack/prompts'

/** Yes or no; no, if the person leaves. */
export async function agrees(question: string): Promise<boolean> {
  return (await confirm({ message: question, initialValue: false, output: process.stderr })) === true
}

/** Whether the person types this word, and nothing else. */
export async function types(word: string, question: string): Promise<boolean> {
  const answer = await text({ message: question, placeholder: word, output: process.stderr })
  return !isCancel(answer) && answer?.trim() === word
}
