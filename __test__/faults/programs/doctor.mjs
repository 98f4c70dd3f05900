// Asks doctor() once, and tells what it found.
import { doctor } from '@leadmap/symphony/admin'

console.log(JSON.stringify(await doctor()))
