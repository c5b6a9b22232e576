/** A pair of connected TCP sockets, for what only a kernel does: partial writes, full buffers, resets. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface SocketPair {
  readonly near: Socket
  readonly far: Socket
}

/** Both ends are paused. */
export async function socketPair(): Promise<SocketPair> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true })
  const [near] = (await once(server, 'connection')) as [Socket]
  if (far.connecting) await once(far, 'connect')
  far.pause()
  server.close()
  return { near, far }
}
