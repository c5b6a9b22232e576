/** The words in which cases are written: frames that are sent, events that are wanted, and ways to end. */
import { Buffer } from 'node:buffer'
import type { Case, CloseRule, PeerEvent, Tester } from '../case.ts'
import { Unexpected } from '../case.ts'
import { describeEvents } from '../judge.ts'
import { Opcode, closePayload } from '../wire.ts'
import type { Frame } from '../wire.ts'

type Octets = Buffer | string

/** A frame's payload as octets; strings are UTF-8. */
export function octets(payload: Octets = ''): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload
}

export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(' ', ''), 'hex')
}

/** `size` octets: a pattern, repeated and cut. */
export function repeat(pattern: Octets, size: number): Buffer {
  // With a size of 0 there is nothing to fill, and `alloc` refuses some patterns for it.
  return size === 0 ? Buffer.alloc(0) : Buffer.alloc(size, pattern)
}

/** Frames; `more` says that another fragment follows. */
export const frame = {
  text: (payload?: Octets): Frame => ({ opcode: Opcode.text, payload: octets(payload) }),
  binary: (payload?: Octets): Frame => ({ opcode: Opcode.binary, payload: octets(payload) }),
  continuation: (payload?: Octets): Frame => ({ opcode: Opcode.continuation, payload: octets(payload) }),
  ping: (payload?: Octets): Frame => ({ opcode: Opcode.ping, payload: octets(payload) }),
  pong: (payload?: Octets): Frame => ({ opcode: Opcode.pong, payload: octets(payload) }),
  close: (code?: number, reason?: Octets): Frame => ({ opcode: Opcode.close, payload: closePayload(code, reason) }),
  more: (of: Frame): Frame => ({ ...of, fin: false }),
  rsv: (rsv: number, of: Frame): Frame => ({ ...of, rsv }),
}

/** Events. */
export const event = {
  text: (payload?: Octets): PeerEvent => ({ type: 'text', payload: octets(payload) }),
  binary: (payload?: Octets): PeerEvent => ({ type: 'binary', payload: octets(payload) }),
  ping: (payload?: Octets): PeerEvent => ({ type: 'ping', payload: octets(payload) }),
  pong: (payload?: Octets): PeerEvent => ({ type: 'pong', payload: octets(payload) }),
  pause: { type: 'pause' } as PeerEvent,
}

/** A message in frames of `size` octets; behind an exact multiple of it there comes an empty one, as a streaming sender does. */
export function fragments(type: 'text' | 'binary', payload: Buffer, size: number): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at <= payload.length; at += size) {
    const opcode = at === 0 ? Opcode[type] : Opcode.continuation
    frames.push({ opcode, payload: payload.subarray(at, at + size), fin: at + size > payload.length })
  }
  return frames
}

/** The peer has to fail the connection: with one of these codes, or by dropping TCP. */
export function fails(...codes: number[]): CloseRule {
  return { by: 'peer', codes, clean: false }
}

/** The tester closes, and the peer answers with one of these codes. */
export function answers(...codes: number[]): CloseRule {
  return { by: 'tester', codes, clean: true, codeMatters: true }
}

/** The tester closes in a way that the peer has to refuse. */
export function refuses(...codes: number[]): CloseRule {
  return { by: 'tester', codes, clean: false, codeMatters: true }
}

/** Sends what it is given, and leaves the rest to `expect`. */
export function sends(...frames: Frame[]): NonNullable<Case['play']> {
  return (tester) => tester.send(frames)
}

/** Waits for one message that has to be `payload` again. */
export async function wantEcho(tester: Tester, type: 'text' | 'binary', payload: Buffer): Promise<void> {
  const came = await tester.next()
  if (came.type === type && came.payload.equals(payload)) return
  throw new Unexpected(`expected ${describeEvents([{ type, payload }])} back, but there came ${describeEvents([came])}`)
}
