// Loads the configuration file of the folder DIRECTORY and tells what came of it.
import { loadConfig } from '@leadmap/symphony/config'

process.chdir(process.env.DIRECTORY)
try {
  console.log(JSON.stringify({ config: await loadConfig() }))
} catch (error) {
  console.log(JSON.stringify({ refusal: error.message }))
}
