/** A connection on one end of a TCP connection, for `for await`; the other end is the test's. */
import type { Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { ConnectionOptions } from '../../src/connection/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { parseExtensions } from '../../src/handshake/index.ts'
import { socketPair } from './sockets.ts'

export interface Wired {
  readonly ws: Connection
  readonly near: Socket
  readonly far: Socket
}

/** `extensions`: what has been agreed upon. */
export async function wired(role: Role, options: ConnectionOptions = {}, extensions?: string): Promise<Wired> {
  const { near, far } = await socketPair()
  const agreed = extensions === undefined ? [] : parseExtensions(extensions)
  const ws = new Connection(near, connectionSettings(role, options), {}, undefined, '', agreed)
  ws.start('', Buffer.alloc(0))
  onTestFinished(async () => {
    far.destroy()
    ws.terminate()
    await ws.closed
  })
  return { ws, near, far }
}
