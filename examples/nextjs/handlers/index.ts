/** All handlers. Whoever consumes imports this. */
import './campaign'
import './email'
import './sms'
