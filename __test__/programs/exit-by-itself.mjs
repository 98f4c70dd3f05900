// Imports, dispatches, handles, and says nothing about ending.
import { consumeBatch, dispatch, registerHandler } from '@leadmap/symphony'

registerHandler('Any', () => {})
const { messageId } = await dispatch({ type: 'Any', payload: {} })
const { succeeded } = await consumeBatch()
console.log(JSON.stringify({ messageId, succeeded }))
