import { bearerToken } from '@leadmap/symphony/next'

/** Whether a request comes from an operator. One token, instead of the log-in of a real application. */
export const isOperator = bearerToken(() => process.env.OPERATOR_TOKEN)
