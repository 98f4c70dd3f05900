/** Sets Symphony up in this process: configuration and handlers. Imported where the process starts and where it consumes. */
import { setConfig } from '@leadmap/symphony'
import '../handlers'
import config from '../symphony.config'

setConfig(config)
