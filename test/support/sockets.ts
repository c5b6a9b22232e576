/** A pair of connected sockets, for what only a kernel does: partial writes, full buffers, resets. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

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

/** The same over a Unix socket, or a named pipe on Windows. */
export async function unixSocketPair(): Promise<SocketPair> {
  const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
  const path = process.platform === 'win32' ? join(String.raw`\\?\pipe`, folder) : join(folder, 'socket')
  try {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(path)
    await once(server, 'listening')
    const far = connect(path)
    const [near] = (await once(server, 'connection')) as [Socket]
    if (far.connecting) await once(far, 'connect')
    far.pause()
    server.close()
    return { near, far }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
