/**
 * Sixteen octets at a time: a WebAssembly module of two functions, for masking (RFC 6455 5.3) and for telling ASCII from
 * other text (5.6), and the memory that they work on.
 *
 * JavaScript has no word larger than 32 bits that is cheap to XOR, WebAssembly has one of 128. But it reaches nothing but
 * its own memory, so the gain is largest where octets are there already: whoever reads from a transport may read into
 * `lent`, and then nothing is copied. Octets elsewhere go through `scratch`, a piece at a time.
 *
 * The module is written out below, an instruction a line, in place of a file that nobody can read.
 */

/** Octets that can be read at once; a read of a socket that has more to say fills it. */
const LENT_SIZE = 65_536
/** Octets that are masked at once elsewhere: few enough to stay in the fastest cache. */
const SCRATCH_SIZE = 16_384
const PAGES = Math.ceil((LENT_SIZE + SCRATCH_SIZE) / 65_536)

/** What WebAssembly does, and the memory in which it does it. */
export interface Simd {
  /** Memory to read into; an offset in it is one in the module's memory. */
  readonly lent: Buffer
  /** Memory for masking what lies elsewhere. */
  readonly scratch: Buffer
  /** Where `scratch` begins in the module's memory. */
  readonly scratchAt: number
  /** Masks octets `start` to `end` of the module's memory; `key` has its first octet lowest. */
  readonly mask: (start: number, end: number, key: number) => void
  /** 1 when octets `start` to `end` of the module's memory are all ASCII, else 0. */
  readonly isAscii: (start: number, end: number) => number
}

/** What is used of WebAssembly, which the types of Node leave out. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

interface Exports extends Pick<Simd, 'mask' | 'isAscii'> {
  readonly memory: { readonly buffer: ArrayBuffer }
}

/** `undefined` without WebAssembly, as with `node --jitless`, or without address space for its memory. */
export function instantiate(
  wasm: Wasm | undefined = (globalThis as { WebAssembly?: Wasm }).WebAssembly,
): Simd | undefined {
  if (wasm === undefined) return undefined
  try {
    const { exports } = new wasm.Instance(new wasm.Module(Uint8Array.from(octetsOf(MODULE))))
    const { memory, mask, isAscii } = exports as Exports
    const lent = Buffer.from(memory.buffer, 0, LENT_SIZE)
    const scratch = Buffer.from(memory.buffer, LENT_SIZE, SCRATCH_SIZE)
    return { lent, scratch, scratchAt: LENT_SIZE, mask, isAscii }
  } catch {
    return undefined
  }
}

/** Octets of the module: nested as they belong together. */
type Code = ReadonlyArray<number | Code>

/** Parameters and variables, by number. */
const START = 0
const END = 1
const KEY = 2
const KEYS = 3
const SEEN_BY_OCTET = 2
const SEEN = 3

const get = (local: number): Code => [0x20, local]
const set = (local: number): Code => [0x21, local]
const advance = (octets: number): Code => [get(START), 0x41, octets, 0x6a, set(START)] // i32.const, i32.add

/** `condition` leaves the loop. */
const loop = (condition: Code, body: Code): Code => [
  [0x02, 0x40], // block
  [0x03, 0x40], // loop
  condition,
  [0x0d, 1], // br_if to the end of the block
  body,
  [0x0c, 0], // br to the loop
  [0x0b, 0x0b],
]

const sixteenLeft: Code = [get(END), get(START), 0x6b, 0x41, 16, 0x49] // i32.sub, i32.const, i32.lt_u: fewer
const noneLeft: Code = [get(START), get(END), 0x4f] // i32.ge_u

const MASK: Code = [
  [1, 1, 0x7b], // one variable, a v128
  [get(KEY), 0xfd, 0x11, set(KEYS)], // i32x4.splat
  // As the key has four octets, its phase stays the same.
  loop(sixteenLeft, [
    get(START),
    [get(START), 0xfd, 0x00, 0, 0], // v128.load
    [get(KEYS), 0xfd, 0x51], // v128.xor
    [0xfd, 0x0b, 0, 0], // v128.store
    advance(16),
  ]),
  loop(noneLeft, [
    get(START),
    [get(START), 0x2d, 0, 0], // i32.load8_u
    [get(KEY), 0x73], // i32.xor
    [0x3a, 0, 0], // i32.store8
    [get(KEY), 0x41, 8, 0x78, set(KEY)], // i32.const, i32.rotr
    advance(1),
  ]),
  0x0b,
]

const IS_ASCII: Code = [
  [2, 1, 0x7f, 1, 0x7b], // two variables, an i32 and a v128
  loop(sixteenLeft, [
    [get(SEEN), get(START), 0xfd, 0x00, 0, 0], // v128.load
    [0xfd, 0x50, set(SEEN)], // v128.or
    advance(16),
  ]),
  loop(noneLeft, [
    [get(SEEN_BY_OCTET), get(START), 0x2d, 0, 0], // i32.load8_u
    [0x72, set(SEEN_BY_OCTET)], // i32.or
    advance(1),
  ]),
  [get(SEEN), 0xfd, 0x64], // i8x16.bitmask: the top bits
  [get(SEEN_BY_OCTET), 0x41, 0x80, 0x01, 0x71], // i32.const 128, i32.and
  [0x72, 0x45], // i32.or, i32.eqz
  0x0b,
]

const octetsOf = (code: Code): number[] => code.flatMap((part) => (typeof part === 'number' ? part : octetsOf(part)))
const name = (text: string): Code => [text.length, [...Buffer.from(text)]]
/** Behind its length, which may take two octets and so does. */
const sized = (code: Code): Code => {
  const octets = octetsOf(code)
  return [(octets.length & 0x7f) | 0x80, octets.length >> 7, octets]
}
const section = (id: number, code: Code): Code => [id, sized(code)]

const MODULE: Code = [
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // Types: three i32 to nothing, and two to one.
  section(1, [2, 0x60, 3, 0x7f, 0x7f, 0x7f, 0, 0x60, 2, 0x7f, 0x7f, 1, 0x7f]),
  section(3, [2, 0, 1]), // which function is of which type
  section(5, [1, 1, PAGES, PAGES]), // one memory, that never grows
  section(7, [3, name('memory'), 2, 0, name('mask'), 0, 0, name('isAscii'), 0, 1]), // exports
  section(10, [2, sized(MASK), sized(IS_ASCII)]),
]

/** Made once, 128 KiB with the memory. */
export const simd: Simd | undefined = instantiate()
