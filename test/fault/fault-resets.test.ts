/**
 * A FIN or a RST behind every octet of the opening handshake, and of frames of twenty shapes, over TCP and in both roles; and
 * a RST in every state that a connection has (threat V40). Whatever was going on, the end is told once, with the right code,
 * and everything that was promised settles.
 */
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect, serve } from '../../src/index.ts'
import type { WebSocketServer } from '../../src/index.ts'
import { turn } from '../support/clock.ts'
import { failing } from '../support/connecting.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { acceptance, rawServer } from '../support/raw-server.ts'
import { script } from '../support/wire.ts'
import type { FrameLiteral } from '../support/wire.ts'
import { Witness, expectEnded } from './support/fault-witness.ts'

type Fault = 'a FIN' | 'a RST'
const FAULTS: readonly Fault[] = ['a FIN', 'a RST']

/** Close frames: where one of them has come whole, the connection ends with its code. */
const CLOSES = new Map<string, number>([
  ['Close without a code', 1005],
  ['Close with a code', 1000],
  ['Close with a reason', 4000],
  ['Close behind a message', 1001],
])

const SHAPES: readonly (readonly [name: string, frames: readonly FrameLiteral[]])[] = [
  ['empty text', [[0x81]]],
  ['text of one octet', [[0x81, 'a']]],
  ['text', [[0x81, 'Hello']]],
  ['text of several octets a character', [[0x81, '\u{1f600}\u20ac\u00fc']]],
  ['the longest text with a short length', [[0x81, 'x'.repeat(125)]]],
  ['the shortest text with 16 bits of length', [[0x81, 'x'.repeat(126)]]],
  ['empty binary', [[0x82]]],
  ['binary', [[0x82, Buffer.alloc(20, 0xff)]]],
  ['binary of 300 octets', [[0x82, Buffer.alloc(300, 7)]]],
  ['binary of 65,536 octets', [[0x82, Buffer.alloc(65_536, 7)]]],
  ['empty Ping', [[0x89]]],
  ['the longest Ping', [[0x89, Buffer.alloc(125)]]],
  ['a Pong', [[0x8a, 'pong']]],
  ['two fragments', [[0x01, 'frag'], [0x80, 'ment']]], // prettier-ignore
  ['empty fragments', [[0x02], [0x00], [0x00], [0x80]]],
  ['a Ping between fragments', [[0x01, 'fr'], [0x89, 'ping'], [0x80, 'agment']]], // prettier-ignore
  ['Close without a code', [[0x88]]],
  ['Close with a code', [[0x88, Buffer.from([0x03, 0xe8])]]],
  ['Close with a reason', [[0x88, Buffer.from([0x0f, 0xa0, 0x62, 0x79, 0x65])]]],
  ['Close behind a message', [[0x81, 'last'], [0x88, Buffer.from([0x03, 0xe9])]]], // prettier-ignore
]

function strike(fault: Fault, socket: Socket): void {
  if (fault === 'a FIN') socket.end()
  else socket.resetAndDestroy()
}

/** Every octet; of what is long those of its beginning and its end, and a few between. */
function offsets({ length }: Buffer): number[] {
  const all = Array.from({ length: length + 1 }, (_, at) => at)
  return length < 400 ? all : all.filter((at) => at < 30 || at > length - 5 || at % 9973 === 0)
}

describe.each(FAULTS)('%s behind every octet', (fault) => {
  let server: WebSocketServer
  let refused: Error[] = []
  let witness = new Witness()
  beforeEach(async () => {
    refused = []
    witness = new Witness()
    server = await serve({
      host: '127.0.0.1',
      open: (ws) => witness.expectMuch(ws),
      message() {},
      error: (ws, error) => witness.handler.error?.(ws, error),
      close: (ws, info) => witness.handler.close?.(ws, info),
      handshakeError: (error) => void refused.push(error),
    })
  })
  afterEach(() => server.shutdown({ timeout: 0 }))

  it('of a request is told to its server once', async () => {
    const request = Buffer.from(handshake())
    for (let at = 0; at < request.length; at++) {
      const client = await RawClient.connect({ port: server.port })
      await new Promise((resolve) => void client.socket.write(request.subarray(0, at), resolve))
      await turn()
      strike(fault, client.socket)
      await client.readToEnd()
      client.destroy()
      // Its end may have reached us before the server's listeners have heard of it.
      while (refused.length <= at) await turn()
      expect({ at, refused: refused.length, code: Reflect.get(refused[at], 'code') }).toEqual({
        at,
        refused: at + 1,
        code: 'ERR_WS_ABORTED',
      })
    }
    const { connections, pendingHandshakes, opened } = server.stats()
    expect({ connections, pendingHandshakes, opened }).toEqual({ connections: 0, pendingHandshakes: 0, opened: 0 })
  })

  it('of an answer is told to its client once', async () => {
    const raw = await rawServer()
    let length = Infinity
    for (let at = 0; at < length; at++) {
      const connecting = failing(connect(raw.url))
      const peer = await raw.accept()
      const answer = Buffer.from(acceptance(await peer.readHead()))
      length = answer.length
      await peer.flush(answer.subarray(0, at))
      await turn()
      strike(fault, peer.socket)
      const error = await connecting
      expect({ at, code: Reflect.get(Object(error), 'code') }).toEqual({
        at,
        code: fault === 'a FIN' ? 'ERR_WS_NO_RESPONSE' : 'ERR_WS_CONNECT_FAILED',
      })
      peer.socket.destroy()
    }
  })

  it.each(SHAPES)('of %s ends a server once', async (name, frames) => {
    const bytes = script('server', frames)
    for (const at of offsets(bytes)) {
      witness = new Witness()
      const client = await RawClient.connect({ port: server.port })
      await client.write(handshake()).readHead()
      await new Promise((resolve) => void client.socket.write(bytes.subarray(0, at), resolve))
      await turn()
      strike(fault, client.socket)
      await expectEnded(witness, { fault, at }, at === bytes.length ? CLOSES.get(name) : undefined)
      client.destroy()
    }
    expect([server.connections.size, server.stats().connections]).toEqual([0, 0])
  })

  it.each(SHAPES)('of %s ends a client once', async (name, frames) => {
    const bytes = script('client', frames)
    const raw = await rawServer()
    for (const at of offsets(bytes)) {
      witness = new Witness()
      const connecting = connect(raw.url, witness.handler)
      const peer = await raw.open()
      witness.expectMuch(await connecting)
      await peer.flush(bytes.subarray(0, at))
      await turn()
      strike(fault, peer.socket)
      await expectEnded(witness, { fault, at }, at === bytes.length ? CLOSES.get(name) : undefined)
      peer.socket.destroy()
    }
  })
})
