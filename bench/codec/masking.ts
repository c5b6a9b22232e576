/**
 * Unmasking in place, as both do with what they have read; the limit is a copy of as many octets.
 *
 * `offset` is where the payload begins in its memory: words are what is fast, and no frame has to begin at one. A read
 * brings new memory, and what is known of the last one is of no use for it: so some cases change between two. Others are in
 * the memory that our sockets read into.
 */
import { sizeName } from './case.ts'
import type { Case, Way } from './case.ts'
import type { Ours, Ws } from './parts.ts'
import { octetsOf } from './samples.ts'

const KEY = 0x1b2c3d4e
const KEY_OCTETS = Buffer.from([0x4e, 0x3d, 0x2c, 0x1b])

export function maskingCases({ framing }: Ours, ws: Ws): Case[] {
  const aligned = [4, 16, 32, 125, 1024, 65_536, 1_048_576].map((size) => maskingCase(framing, ws, size, 8, 1))
  const unaligned = [4, 32, 125, 1024, 65_536, 1_048_576].map((size) => maskingCase(framing, ws, size, 5, 1))
  const fresh = [125, 1024, 65_536].map((size) => maskingCase(framing, ws, size, 5, 2))
  const { simd } = framing
  const lent =
    simd === undefined ? [] : [4, 32, 125, 1024, 65_000].map((size) => lentCase(framing, ws, size, simd.lent))
  return [...aligned, ...unaligned, ...fresh, ...lent]
}

function lentCase(framing: Ours['framing'], ws: Ws, size: number, lent: Buffer): Case {
  const elsewhere = maskingCase(framing, ws, size, 5, 1)
  const octets = octetsOf(size)
  const ours: Way = {
    run: () => framing.applyMask(lent, 5, 5 + size, KEY),
    result: () => {
      octets.copy(lent, 5)
      framing.applyMask(lent, 5, 5 + size, KEY)
      return Buffer.from(lent.subarray(5, 5 + size))
    },
  }
  return {
    ...elsewhere,
    name: `${sizeName(size)}, where sockets read to`,
    ways: { ...elsewhere.ways, fullduplex: ours },
  }
}

function maskingCase(
  { applyMask }: Ours['framing'],
  { unmask }: Ws,
  size: number,
  offset: number,
  memories: number,
): Case {
  const octets = octetsOf(size)
  const end = offset + size
  const fresh = (): Buffer => {
    const memory = Buffer.from(new ArrayBuffer(size + 16))
    octets.copy(memory, offset)
    return memory
  }
  const several = Array.from({ length: memories }, fresh)
  const [memory] = several
  // Who unmasks with ws has cut the payload out already.
  const views = several.map((one) => one.subarray(offset, end))
  const [view] = views
  const target = Buffer.alloc(size + 16)
  let turn = 0
  const next = (): number => (turn = 1 - turn)

  const result = (work: (bytes: Buffer) => void): Buffer => {
    const bytes = fresh()
    work(bytes)
    return Buffer.from(bytes.subarray(offset, end))
  }
  const ours: Way = {
    run:
      memories === 1 ? () => applyMask(memory, offset, end, KEY) : () => applyMask(several[next()], offset, end, KEY),
    result: () => result((bytes) => applyMask(bytes, offset, end, KEY)),
  }
  const theirs: Way = {
    run: memories === 1 ? () => unmask(view, KEY_OCTETS) : () => unmask(views[next()], KEY_OCTETS),
    result: () => result((bytes) => unmask(bytes.subarray(offset, end), KEY_OCTETS)),
  }
  const limit: Way = { run: () => octets.copy(target, offset) }
  const name = `${sizeName(size)}${memories > 1 ? ', a new memory each' : offset % 4 === 0 ? '' : ', unaligned'}`
  const expected = Buffer.from(octets.map((octet, index) => octet ^ KEY_OCTETS[index & 3]))
  return { group: 'unmasking', name, expected, ways: { fullduplex: ours, ws: theirs, limit } }
}
