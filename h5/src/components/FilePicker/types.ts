export interface PickedFile {
  key: string
  name: string
  size: number
  state: 'sending' | 'done' | 'failed'
  /** 0 to 1. */
  progress: number
  message: string
  /** Failed by no fault of the file: it may be sent again. */
  again?: boolean
  /** Sent, and waiting for the virus scanner; it may be handed in. */
  waiting?: boolean
}
