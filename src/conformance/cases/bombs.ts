/**
 * 26 Bombs: compressed messages that are a thousand times as large once they are inflated. The peer may refuse them, with
 * 1009 for instance, or send back what they hold; and it has to live on, as a second connection shows (RFC 6455 10.4).
 *
 * The tester never has more than one of them in its hands: it makes them from a mebibyte, and looks at the echo in pieces.
 */
import { constants, deflateRawSync } from 'node:zlib'
import type { Case, PeerEvent, Tester } from '../case.ts'
import type { Frame } from '../wire.ts'
import { hex } from './build.ts'
import { agreed } from './deflate.ts'
import { anyEnd, compressed, orGone, plainDeflate, survives, want } from './steps.ts'

const MEBIBYTE = 1_048_576

/** `size` mebibytes of `octet`, compressed; every mebibyte ends with an empty block, so that one may follow another. */
function bomb(size: number, octet: number): Buffer {
  const part = deflateRawSync(Buffer.alloc(MEBIBYTE, octet), { finishFlush: constants.Z_SYNC_FLUSH })
  const whole = Buffer.concat(Array.from({ length: size }, () => part))
  return whole.subarray(0, whole.length - 4)
}

/** An endless row of empty blocks with BFINAL: nothing to inflate, and much to do. */
function hollow(size: number): Buffer {
  return Buffer.concat([Buffer.alloc(size, hex('03 00')), hex('00')])
}

function isEcho(event: PeerEvent, type: 'text' | 'binary', length: number, octet: number): boolean {
  if (event.type !== type || event.payload.length !== length) return false
  const piece = Buffer.alloc(Math.min(length, MEBIBYTE), octet)
  for (let at = 0; at < length; at += MEBIBYTE) {
    if (!event.payload.subarray(at, at + MEBIBYTE).equals(piece)) return false
  }
  return true
}

interface Charge {
  readonly type: 'text' | 'binary'
  readonly octet: number
  /** Octets of each message, and how many messages there are. */
  readonly length: number
  readonly messages: number
  readonly frames: () => readonly Frame[]
}

async function detonate(tester: Tester, { type, octet, length, messages, frames }: Charge): Promise<void> {
  agreed(tester)
  const message = frames()
  for (let i = 0; i < messages; i++) {
    await tester.send(message)
    const event = await tester.next()
    want(isEcho(event, type, length, octet), `expected ${length} octets back or the end, but there came other octets`)
  }
}

function explosive(id: string, what: string, charge: Charge): Case {
  return {
    id,
    title: `${what}: comes back the same or is refused, and the next connection works`,
    rule: 'RFC 6455 10.4',
    timeout: 30_000,
    heavy: true,
    opening: plainDeflate,
    ...survives({ play: (tester) => orGone(detonate(tester, charge)), close: anyEnd() }, 2000),
  }
}

const large = { length: 64 * MEBIBYTE, messages: 1 }

export const bombs: readonly Case[] = [
  explosive('26.1', '64 MiB of zeros in one frame of 64 KiB', {
    ...large,
    type: 'binary',
    octet: 0,
    frames: () => compressed('binary', bomb(64, 0)),
  }),
  explosive('26.2', '64 MiB of zeros in frames of 1 KiB', {
    ...large,
    type: 'binary',
    octet: 0,
    frames: () => compressed('binary', bomb(64, 0), 1024),
  }),
  explosive('26.3', '64 MiB of text in one frame', {
    ...large,
    type: 'text',
    octet: 0x2a,
    frames: () => compressed('text', bomb(64, 0x2a)),
  }),
  explosive('26.4', '64 messages, each of 1 MiB of zeros in 1 KiB', {
    type: 'binary',
    octet: 0,
    length: MEBIBYTE,
    messages: 64,
    frames: () => compressed('binary', bomb(1, 0)),
  }),
  explosive('26.5', '20000 empty blocks with BFINAL in one message', {
    type: 'binary',
    octet: 0,
    length: 0,
    messages: 1,
    frames: () => compressed('binary', hollow(40_000)),
  }),
]
