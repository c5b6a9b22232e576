/** A connection on the client's side: a `Connection` that knows where it leads. */
import type { Duplex } from 'node:stream'
import { Connection } from '../connection/index.ts'
import type { ConnectionHandler, ConnectionSettings } from '../connection/index.ts'
import type { Agreement } from '../handshake/index.ts'

export class ClientConnection<Data = unknown> extends Connection<Data> {
  /** Where it leads, without user name and password: the URL that was asked for, or the last one it was redirected to. */
  readonly url: string

  /** @internal */
  constructor(
    socket: Duplex,
    settings: ConnectionSettings,
    handler: ConnectionHandler<ClientConnection<Data>>,
    data: Data,
    { protocol = '', extensions }: Agreement,
    url: string,
  ) {
    super(socket, settings, handler, data, protocol, extensions)
    this.url = url
  }
}
