// Waits for a word, then migrates.
import { once } from 'node:events'
import { migrate } from '@leadmap/symphony'

console.log(JSON.stringify('ready'))
await once(process.stdin, 'data')
process.stdin.destroy()
console.log(JSON.stringify(await migrate()))
