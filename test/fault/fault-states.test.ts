/**
 * A RST in every state that a connection has, over TCP and in both roles (threat V40: one that came behind a half-close went
 * unnoticed elsewhere). Each ends the connection, once, and leaves nothing behind.
 */
import type { Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { CloseInfo } from '../../src/errors.ts'
import type { Role } from '../../src/framing/rules.ts'
import { serve } from '../../src/index.ts'
import { turn } from '../support/clock.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { socketPair } from '../support/sockets.ts'
import { ROLES, received } from '../support/wire.ts'

/** More than any system keeps for a peer that does not read. */
const LARGE = Buffer.alloc(15_000_000)
const NORMAL = Buffer.from([0x03, 0xe8])

interface Ends {
  readonly role: Role
  readonly ws: Connection
  readonly near: Socket
  readonly far: Socket
}

/** What `ready` waits for: that the other side's octets, or its FIN, have been worked on. */
async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await turn()
}

const STATES: readonly (readonly [name: string, arrive: (ends: Ends) => unknown])[] = [
  ['open', () => {}],
  [
    'in the middle of a frame that it receives',
    ({ role, far }) => far.write(received(role, 0x82, LARGE).subarray(0, 99)),
  ],
  ['in the middle of a message that it sends', ({ ws }) => ws.send(LARGE)],
  ['in the middle of a message that it streams', ({ ws }) => void ws.sendStream(endless()).catch(() => {})],
  [
    'paused, with octets that nobody has read',
    ({ role, ws, far }) => [ws.pause(), far.write(received(role, 0x81, 'a'))],
  ],
  ['waiting for room', ({ ws }) => [ws.send(LARGE), ws.drained().catch(() => {})]],
  [
    'sending a message, with another one behind it',
    async ({ ws }) => {
      ws.send(LARGE)
      await turn()
      ws.send(LARGE)
    },
  ],
  ['waiting for the answer to its Close', ({ ws }) => void ws.close(1000)],
  ['waiting to send its Close', ({ ws }) => [ws.send(LARGE), ws.close(1000)]],
  [
    'waiting for the end of TCP behind both Close frames',
    async ({ role, ws, far }) => {
      far.write(received(role, 0x88, NORMAL))
      await until(() => ws.readyState === 2)
    },
  ],
  [
    'half-closed, as it has failed the connection',
    async ({ role, near, far }) => {
      far.write(received(role, 0x83, 'no opcode'))
      await until(() => near.writableFinished)
    },
  ],
]

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield LARGE
}

async function open(role: Role): Promise<Ends & { readonly infos: CloseInfo[]; readonly errors: Error[] }> {
  const { near, far } = await socketPair()
  const infos: CloseInfo[] = []
  const errors: Error[] = []
  const ws = new Connection(
    near,
    connectionSettings(role, {}),
    { message() {}, error: (_, error) => void errors.push(error), close: (_, info) => void infos.push(info) },
    undefined,
    '',
  )
  ws.start('', Buffer.alloc(0))
  far.on('error', () => {})
  onTestFinished(() => {
    far.destroy()
    ws.terminate()
  })
  return { role, ws, near, far, infos, errors }
}

describe.each(ROLES)('A RST to a %s', (role) => {
  it.each(STATES)('[V40] that is %s ends it once', async (_, arrive) => {
    const ends = await open(role)
    await arrive(ends)
    await turn()
    ends.far.resetAndDestroy()
    // What is paused reads nothing, and hears of it when it writes, or reads on.
    await turn()
    ends.ws.resume()
    const info = await ends.ws.closed
    await turn()
    expect([ends.infos, ends.near.destroyed, ends.ws.bufferedAmount]).toEqual([[info], true, 0])
    expect(ends.errors.length).toBeLessThanOrEqual(1)
  })

  it('[V40] that is half-closed by its peer, and still sends, ends it once', async () => {
    const { ws, near, far, infos } = await open(role)
    ws.send(LARGE)
    await turn()
    far.end()
    await until(() => near.readableEnded)
    expect(infos).toEqual([])
    // It has octets that it has not read, so that its system says RST.
    far.destroy()
    expect(await ws.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'network' })
    expect([infos.length, near.destroyed, ws.bufferedAmount]).toEqual([1, true, 0])
  })
})

describe('A RST to an opening handshake', () => {
  it('[V40] about which the application decides is told to it and to the log, once', async () => {
    const refused: unknown[] = []
    let aborted = 0
    const server = await serve({
      host: '127.0.0.1',
      message() {},
      upgrade: (_request, { signal }) =>
        new Promise<undefined>((resolve) => {
          signal.addEventListener('abort', () => {
            aborted++
            resolve(undefined)
          })
        }),
      handshakeError: (error) => void refused.push(Reflect.get(error, 'code')),
    })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const client = await RawClient.connect({ port: server.port })
    client.write(handshake())
    await until(() => server.stats().pendingHandshakes === 1)
    await turn()
    await client.reset().closed
    await until(() => refused.length > 0)
    await turn()
    expect([aborted, refused, server.stats().connections]).toEqual([1, ['ERR_WS_ABORTED'], 0])
  })
})
