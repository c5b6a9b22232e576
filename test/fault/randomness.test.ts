/**
 * What nobody may guess (threats V46, V47, V49), and where memory or chance must not be trusted (V45): masks and keys are
 * looked at in numbers, and the sources for what would spoil them.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createMaskingKey } from '../../src/framing/mask.ts'
import { createKey } from '../../src/handshake/key.ts'
import { turn } from '../support/clock.ts'
import { BINARY, CLOSE, PING, PONG, opened } from '../support/connection.ts'
import { received } from '../support/wire.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))
/** The rooms that a program runs with; a judge and a command line that nobody but their user talks to are none. */
const ROOMS = ['framing', 'handshake', 'deflate', 'connection', 'server', 'client']

/** Sources by their path below `src`, without comments, so that only code counts. */
const sources = new Map(
  ROOMS.flatMap((room) =>
    readdirSync(join(src, room))
      .filter((name) => name.endsWith('.ts'))
      .map((name): [string, string] => [`${room}/${name}`, codeOf(readFileSync(join(src, room, name), 'utf8'))]),
  ),
)

function codeOf(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|(?<!:)\/\/.*/g, '')
}

/** The places where `pattern` stands, as `file: match`. */
function places(pattern: RegExp): string[] {
  return [...sources].flatMap(([path, code]) => [...code.matchAll(pattern)].map(([match]) => `${path}: ${match}`))
}

/** Chi-square of 256 counts that should be even. */
function chiSquare(counts: Uint32Array, draws: number): number {
  const expected = draws / 256
  return counts.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0)
}

describe('Masking keys', () => {
  it('[V46] [V47] are spread evenly, in each octet and from one to the next, and hardly ever the same, in a million', () => {
    const draws = 1_000_000
    const counts = Array.from({ length: 8 }, () => new Uint32Array(256))
    const keys = new Int32Array(draws)
    let before = 0
    for (let draw = 0; draw < draws; draw++) {
      const key = createMaskingKey()
      const step = key ^ before
      for (let octet = 0; octet < 4; octet++) {
        counts[octet][(key >>> (8 * octet)) & 0xff]++
        counts[4 + octet][(step >>> (8 * octet)) & 0xff]++
      }
      keys[draw] = key
      before = key
    }
    // 255 degrees of freedom: mean 255, deviation 22.6. Chance passes these bounds less than once in 10^9 runs.
    for (const count of counts) {
      expect(chiSquare(count, draws)).toBeGreaterThan(130)
      expect(chiSquare(count, draws)).toBeLessThan(430)
    }
    // 116 pairs are expected among so many of 2^32, with a deviation of 11.
    keys.sort()
    let repeated = 0
    for (let i = 1; i < draws; i++) if (keys[i] === keys[i - 1]) repeated++
    expect(repeated).toBeGreaterThan(40)
    expect(repeated).toBeLessThan(200)
  })

  it('[V46] [V47] are fresh in every frame that a client sends: empty ones, fragments, control frames, answers', async () => {
    const { ws, peer } = await opened('client')
    for (let i = 0; i < 200; i++) {
      ws.send('')
      ws.send(Buffer.alloc(0))
      ws.send('Hello')
      ws.send(Buffer.alloc(30), { fragmentSize: 10 })
      ws.send('x'.repeat(20_000))
      ws.ping()
      ws.pong('x')
    }
    await turn()
    for (let i = 0; i < 200; i++) peer.write(received('client', PING), received('client', PING, 'x'))
    await ws.sendStream(['a', 'b', Buffer.alloc(70_000)].map((chunk) => Buffer.from(chunk)))
    void ws.close(1000)
    await turn()
    const keys: string[] = []
    const { bytes } = peer
    const firsts = new Set<number>()
    for (let at = 0; at < bytes.length;) {
      const short = bytes[at + 1] & 0x7f
      const wide = short === 126 ? 2 : short === 127 ? 8 : 0
      const length = wide === 0 ? short : bytes.readUIntBE(at + 2 + Math.max(0, wide - 6), Math.min(wide, 6))
      expect(bytes[at + 1] & 0x80).toBe(0x80)
      firsts.add(bytes[at])
      keys.push(bytes.toString('hex', at + 2 + wide, at + 6 + wide))
      at += 6 + wide + length
    }
    expect([...firsts].toSorted((a, b) => a - b)).toEqual([0x00, 0x02, 0x80, 0x81, BINARY, CLOSE, PING, PONG])
    expect(keys.length).toBeGreaterThan(2200)
    // Two equal keys among so few come once in 1,700 runs, and two such pairs once in some million.
    expect(new Set(keys).size).toBeGreaterThanOrEqual(keys.length - 1)
  })
})

describe('Keys of opening handshakes', () => {
  it('[V49] are sixteen octets that never come again, in a hundred thousand', () => {
    const keys = new Set<string>()
    const counts = new Uint32Array(256)
    for (let i = 0; i < 100_000; i++) {
      const key = createKey()
      keys.add(key)
      for (const octet of Buffer.from(key, 'base64')) counts[octet]++
    }
    expect(keys.size).toBe(100_000)
    expect([...keys].every((key) => /^[A-Za-z0-9+/]{22}==$/.test(key))).toBe(true)
    expect(chiSquare(counts, 1_600_000)).toBeGreaterThan(130)
    expect(chiSquare(counts, 1_600_000)).toBeLessThan(430)
  })
})

describe('The sources', () => {
  it('are there to be looked at', () => {
    expect(sources.size).toBeGreaterThan(70)
    expect(places(/\brandomFillSync\(/g)).toEqual(['framing/mask.ts: randomFillSync('])
    expect(codeOf('a /* Math.random */ b // Math.random\nws://c')).toBe('a  b \nws://c')
  })

  it('[V49] take what nobody may guess from the system, and chance from elsewhere for the wait between attempts alone', () => {
    expect(places(/\brandom(?:Bytes|FillSync|Fill|Int|UUID)\b(?=\()|getRandomValues/g)).toEqual([
      'framing/mask.ts: randomFillSync',
      'handshake/key.ts: randomBytes',
    ])
    // Jitter: that others could guess it does no harm.
    expect(places(/\bMath\.random\b/g)).toEqual(['client/reconnecting.ts: Math.random'])
    // Nor is anything made of the time or of a counter that should not be guessed: keys come from these two alone.
    expect(places(/\b(?:createKey|createMaskingKey)\(\)/g).toSorted()).toEqual(
      [
        'client/connect.ts: createKey()',
        // In the text of an error.
        'handshake/client.ts: createKey()',
        ...places(/\bcreateMaskingKey\(\)/g),
        'handshake/key.ts: createKey()',
      ].toSorted(),
    )
  })

  it('[V49] compare no secret octet by octet: there is none that comes from a peer', () => {
    // Sec-WebSocket-Accept is none (RFC 6455 10.8). Whoever adds a signature or a password has to use timingSafeEqual.
    expect(places(/\bcreateHmac\b|\bcreateVerify\b|\bscrypt\b|\bpbkdf2\b|\btimingSafeEqual\b/g)).toEqual([])
    expect(places(/\bcreateHash\b|\bcrypto\.hash\b/g).every((place) => place.startsWith('handshake/key.ts'))).toBe(true)
    // Those of two URIs of one's own, and one with none.
    expect(places(/\bpassword\w*\s*[!=]==?/gi)).toEqual([
      'handshake/uri.ts: password ===',
      'client/redirect.ts: password !==',
    ])
  })

  it('[V45] clear memory in no place where what follows would depend on it', () => {
    // Of no octets there is nothing to clear.
    const cleared = places(
      /\bBuffer\.alloc\((?!0\))[^)]*\)|\bnew (?:Array|Shared)?(?:Buffer|ArrayBuffer|U?[Ii]nt\d+Array|Float\d+Array)\((?!0\))[^)]*\)/g,
    )
    expect(cleared).toEqual(CLEARED)
  })
})

/** Where memory is asked for that Node clears. Each is written before it is read; see there before this list grows. */
const CLEARED: readonly string[] = [
  // The octets of a key, which are all set before the word that they make is read.
  'framing/mask.ts: new Uint8Array(4)',
  'framing/mask.ts: new Int32Array(keyOctets.buffer)',
  // Views of memory that is there.
  'framing/mask.ts: new Int32Array(memory, 0, Math.floor(memory.byteLength / 4)',
  // Filled by the system before the first key is taken of it.
  'framing/mask.ts: new Int32Array(POOL_KEYS)',
  // Of a head that is put together only so much is read as has come.
  'handshake/head.ts: Buffer.alloc(Math.min(larger, this.#limits.maxHeadSize)',
  // Filled in the same line.
  'handshake/machine.ts: new Uint8Array(State.Refused + BYTE_CLASSES)',
  // Copies of octets.
  'client/websocket-stream.ts: new Uint8Array(data)',
  'client/websocket.ts: new Uint8Array(octets)',
]
