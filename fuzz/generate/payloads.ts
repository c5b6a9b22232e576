/**
 * What frames carry: pools of texts, of octets and of compressed messages, made once from a fixed seed. Who generates
 * frames takes slices of them, which costs nothing, instead of making each payload.
 *
 * Nothing here comes from `src`: zlib compresses by itself.
 */
import { constants, deflateRawSync } from 'node:zlib'
import { Random } from '../support/random.ts'

const random = new Random(0x6455)

/** Octets that mean nothing, long enough for every form of a length. */
export const NOISE: Buffer = random.bytes(160_000)

/** Code points by the octets that UTF-8 takes for them, with both ends of each range. */
const CODE_POINTS: readonly (readonly [first: number, last: number])[] = [
  [0x20, 0x7e],
  [0x00, 0x7f],
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x1_0000, 0x10_ffff],
]

function characters(count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) {
    const [first, last] = random.pick(CODE_POINTS)
    text += String.fromCodePoint(random.chance(0.2) ? random.pick([first, last]) : random.between(first, last))
  }
  return text
}

function lines(count: number): string {
  return Array.from({ length: count }, () => `{"id":${random.int(9973)},"state":"open"}`).join('\n')
}

/** Valid texts, from nothing to some hundred octets. */
export const TEXTS: readonly Buffer[] = [
  '',
  'a',
  'Hello',
  '*'.repeat(125),
  '*'.repeat(126),
  '\u{10ffff}',
  '\u{feff}bom',
  ...Array.from({ length: 40 }, () => characters(random.int(30))),
  ...Array.from({ length: 8 }, () => characters(random.int(300))),
  ...Array.from({ length: 8 }, () => lines(random.int(20))),
].map((text) => Buffer.from(text))

/** Texts of 60,000 octets and more, which are to be rare: they take as long as hundreds of others. */
export const LARGE_TEXTS: readonly Buffer[] = [characters(20_000), lines(3_000)].map((text) => Buffer.from(text))

/** Octets that cannot stand in a text, or not at its end (8.1): stray, overlong, surrogates, too large, cut. */
export const NOT_UTF8: readonly Buffer[] = [
  ...['80', 'bf', 'c0af', 'c181', 'e08080', 'e09fbf', 'eda080', 'edbfbf', 'f0808080', 'f08fbfbf', 'f4908080'],
  ...['f5808080', 'f888808080', 'fe', 'ff', 'c328', 'e28228', 'e228a1', 'f09f9828', 'f028bcc1', 'eda0bdedb880'],
  ...['c3', 'e282', 'e1', 'f09f98', 'f48f', 'f1'],
].map((digits) => Buffer.from(digits, 'hex'))

/** A message as an extension sends it (RFC 7692 7.2.1): compressed, without the octets that a sync flush ends with. */
function compressed(data: Buffer, settings: Parameters<typeof deflateRawSync>[1]): Buffer {
  const octets = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, ...settings })
  return octets.subarray(0, octets.length - 4)
}

const STRATEGIES = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE]

function compressedEachWay(data: readonly Buffer[]): Buffer[] {
  return data.flatMap((octets) =>
    STRATEGIES.map((strategy) =>
      compressed(octets, { level: random.int(10), windowBits: random.between(9, 15), strategy }),
    ),
  )
}

/** Messages that need nothing but themselves; most of them hold text. */
export const COMPRESSED: readonly Buffer[] = compressedEachWay([
  ...TEXTS,
  ...[0, 1, 50, 300].map((size) => NOISE.subarray(0, size)),
])

/** Such messages that are large once they are inflated, or before. */
export const LARGE_COMPRESSED: readonly Buffer[] = compressedEachWay([...LARGE_TEXTS, NOISE.subarray(0, 70_000)])

/** Messages that refer back to one of `TEXTS`: they can be read behind it, and mean something else or nothing elsewhere. */
export const REFERRING: readonly Buffer[] = TEXTS.filter((text) => text.length > 20).map((text) =>
  compressed(text, { dictionary: text, level: 9 }),
)

/** Messages that end their stream (BFINAL), once, twice or without end, alone or with more behind. */
export const FINISHED: readonly Buffer[] = TEXTS.slice(0, 12).flatMap((text) => {
  const final = deflateRawSync(text)
  const finalAndEmpty = Buffer.concat([final, Buffer.of(0)])
  const flood = Buffer.concat(Array.from({ length: 40 }, () => Buffer.of(0x03, 0x00)))
  return [final, finalAndEmpty, Buffer.concat([final, final]), Buffer.concat([final, compressed(text, {})]), flood]
})

/** Small messages that become large ones, beyond a limit of 1 MiB and below it. */
export const BOMBS: readonly Buffer[] = [100_000, 1_048_576, 1_048_577, 4_000_000].map((size) =>
  compressed(Buffer.alloc(size), { level: 9 }),
)

/** What no inflater can read, or only until somewhere in the middle. */
export const NOT_DEFLATE: readonly Buffer[] = [
  Buffer.from('ff', 'hex'),
  Buffer.from('0007000000', 'hex'),
  Buffer.from('06', 'hex'),
  Buffer.from('05', 'hex'),
  Buffer.from('0b', 'hex'),
  ...COMPRESSED.filter((octets) => octets.length > 8)
    .slice(0, 60)
    .map((octets) => {
      const bad = Buffer.from(octets)
      bad[random.int(bad.length)] ^= 1 << random.int(8)
      return bad
    }),
  ...Array.from({ length: 20 }, () => random.bytes(random.int(60))),
]
