/** What consumers tell of failures. */

/** A failure that may cause a notification. */
export interface Failure {
  /** `warning`: the message runs again; `error`: it is a dead letter. */
  severity: 'warning' | 'error'
  messageType: string
  errorClass: string
  messageId: string
  transport: string
}

/** One who wants to know of failures. */
export interface FailureObserver {
  /** Records a failure, if a channel wants it. Never throws, and nothing waits for it. */
  note(failure: Failure): void
  /** Waits until notifications are sent, for a limited time: an invocation that has ended is frozen or gone. */
  settle(): Promise<void>
}
