// Does not wait for its dispatch, which keeps the process alive until the message is stored.
import { dispatch } from '@leadmap/symphony'

dispatch({ type: 'Unawaited', payload: {} })
console.log(JSON.stringify('off'))
