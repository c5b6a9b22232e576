/** The tester on one end of a TCP connection, and a peer without manners on the other, which does what a test makes it do. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Case, Frame, Role } from '../../src/conformance/index.ts'
import type { Observation } from '../../src/conformance/judge.ts'
import { WireLog } from '../../src/conformance/log.ts'
import { CaseTester } from '../../src/conformance/tester.ts'
import type { Inflater } from '../../src/conformance/tester.ts'
import { RawClient } from '../support/raw-client.ts'
import { KEY, frame } from '../support/wire.ts'

/** Both ends of a TCP connection; neither outlives the test. */
export async function pair(): Promise<{ readonly socket: Socket; readonly peer: RawClient }> {
  const listener = createServer({ noDelay: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepting = once(listener, 'connection')
  const peer = new RawClient(
    connect({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port, allowHalfOpen: true, noDelay: true }),
  )
  const [socket] = (await accepting) as [Socket]
  listener.close()
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
    peer.destroy()
  })
  return { socket, peer }
}

/** A case of which a test tells what matters to it. */
export function aCase(parts: Partial<Case>): Case {
  return { id: '1.2.3', title: 'A frame: is answered', rule: 'RFC 6455 5', timeout: 1000, ...parts }
}

export interface Playing {
  readonly peer: RawClient
  readonly log: WireLog
  readonly tester: CaseTester
  /** What the tester has seen, when it is through. */
  readonly seen: Promise<Observation>
  /** Sends a frame as the peer's role demands it. */
  say(firstOctet: number, payload?: Uint8Array | string): void
}

export interface PlayOptions {
  /** The tester's. Default: client. */
  readonly role?: Role
  readonly timeoutFactor?: number
  readonly rest?: Buffer
  readonly inflater?: Inflater
}

/** A tester that has begun to play `parts` on an open connection. */
export async function playing(parts: Partial<Case>, options: PlayOptions = {}): Promise<Playing> {
  const { role = 'client', timeoutFactor = 1, rest = Buffer.alloc(0), inflater } = options
  const { socket, peer } = await pair()
  const log = new WireLog()
  const testCase = aCase(parts)
  const stage = { socket, role, testCase, turn: 0, peerHead: '', extensions: '', rest, log, timeoutFactor, inflater }
  const tester = new CaseTester(stage)
  const seen = tester.run()
  const form = role === 'client' ? {} : { key: KEY }
  const say = (firstOctet: number, payload?: Uint8Array | string): void => {
    peer.write(frame(firstOctet, payload, form))
  }
  return { peer, log, tester, seen, say }
}

export const TEXT: Frame = { opcode: 1, payload: Buffer.from('hello') }
export const CLOSE_1000: Buffer = Buffer.from('03e8', 'hex')
