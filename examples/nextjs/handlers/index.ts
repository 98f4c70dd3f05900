/** All handlers, for everything that consumes. */
import './campaign'
import './email'
import './sms'
