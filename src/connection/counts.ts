/** What the connections with the same settings have done in all: those of a server's handler, or one of a client. */
export interface Counts {
  opened: number
  closed: number
  /** Messages that were handed on whole, and those that were accepted to be sent. */
  messagesReceived: number
  messagesSent: number
  /** Octets of frames, headers included, that the transport brought, and that it was given. */
  octetsReceived: number
  octetsSent: number
}

export function createCounts(): Counts {
  return { opened: 0, closed: 0, messagesReceived: 0, messagesSent: 0, octetsReceived: 0, octetsSent: 0 }
}
