/** What the connections with the same settings have done in all: those of a server's handler, or one of a client. */
export class Counts {
  opened = 0
  closed = 0
  /** Messages that were handed on whole, and those that were accepted to be sent. */
  messagesReceived = 0
  messagesSent = 0
  /** Octets of frames, headers included, that the transport brought, and that it was given. */
  octetsReceived = 0
  octetsSent = 0
}
