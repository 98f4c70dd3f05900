// Asks doctor() once, and tells what it found.
import { doctor } from '@leadmap/symphony'

console.log(JSON.stringify(await doctor()))
