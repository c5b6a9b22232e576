import { describe, expect, it, vi } from 'vitest'

import { HandshakeError } from '../../src/errors.ts'
import type { Heads } from '../../src/handshake/index.ts'
import { HEAD_LIMITS, HeadReader } from '../../src/handshake/index.ts'
import { misuse } from '../support/errors.ts'
import { handshake, headOf, latin1, OBJECT_NAMES, readChunks, readEveryWay, refusalOf } from '../support/heads.ts'

const OPENINGS: Record<keyof Heads, string> = {
  request: 'GET / HTTP/1.1',
  response: 'HTTP/1.1 101 Switching Protocols',
}
const KINDS: ReadonlyArray<keyof Heads> = ['request', 'response']
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/
const MALFORMED: Record<keyof Heads, [string, number | undefined]> = {
  request: ['ERR_WS_BAD_REQUEST', 400],
  response: ['ERR_WS_BAD_RESPONSE', undefined],
}

function characters(): string[] {
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
}

describe('HeadReader with a request', () => {
  it('reads the start line and the fields in order, names in lower case', () => {
    const head = headOf('request', handshake({ 'X-Empty': '', ACCEPT: 'text/html, */*' }))
    expect(head.method).toBe('GET')
    expect(head.target).toBe('/chat')
    expect(head.version).toBe('1.1')
    expect([...head.fields]).toEqual([
      ['host', 'server.example.com'],
      ['upgrade', 'websocket'],
      ['connection', 'Upgrade'],
      ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ['sec-websocket-version', '13'],
      ['x-empty', ''],
      ['accept', 'text/html, */*'],
    ])
  })

  it('reads a head without fields, HTTP/1.0 and any token as method', () => {
    expect(headOf('request', 'GET / HTTP/1.0\r\n\r\n').version).toBe('1.0')
    expect(headOf('request', 'M-SEARCH * HTTP/1.1\r\n\r\n')).toMatchObject({ method: 'M-SEARCH', target: '*' })
  })

  it('ignores one empty line before the request line, and no second one [9112-2.2-06]', () => {
    expect(headOf('request', '\r\nGET / HTTP/1.1\r\n\r\n').method).toBe('GET')
    expect(refusalOf('request', '\r\n\r\nGET / HTTP/1.1\r\n\r\n')).toEqual(MALFORMED.request)
    expect(refusalOf('request', '\nGET / HTTP/1.1\r\n\r\n')).toEqual(MALFORMED.request)
    expect(refusalOf('request', '\rGET / HTTP/1.1\r\n\r\n')).toEqual(MALFORMED.request)
  })

  it('refuses a malformed request line with 400 [9112-3.2-01] [9112-3-01]', () => {
    const lines = [
      'GET /',
      'GET  / HTTP/1.1',
      'GET / HTTP/1.1 ',
      'GET /  HTTP/1.1',
      ' GET / HTTP/1.1',
      'GET\t/ HTTP/1.1',
      'GET / ',
      'GET',
      '/ HTTP/1.1',
      'GET /a b HTTP/1.1',
      'GET /\u00e9 HTTP/1.1',
      'G\u00cbT / HTTP/1.1',
      'G@T / HTTP/1.1',
      'GET /\x7f HTTP/1.1',
      '\x16\x03\x01\x02',
      'GET / HTTP/1.1\x00',
      'GET / HTTP/1.1\t',
    ]
    for (const line of lines) expect(refusalOf('request', `${line}\r\n\r\n`), line).toEqual(MALFORMED.request)
  })

  it('[V61] refuses what is no HTTP version with 400, other versions with 505 [9112-2.3-01]', () => {
    const malformed = [
      'http/1.1',
      'HTTP/1',
      'HTTP/1.',
      'HTTP/11',
      'HTTP/1.10',
      'HTTP/a.1',
      'HTTP/1.a',
      'HTTP/1,1',
      'HTTPS/1.1',
      'HTTP:1.1',
      'HTTP/01.1',
      'HTTP/ 1.1',
      'ICE/1.0',
      'xTTP/1.1',
      '+1_0',
    ]
    for (const version of malformed) {
      expect(refusalOf('request', `GET / ${version}\r\n\r\n`), version).toEqual(MALFORMED.request)
    }
    for (const version of ['HTTP/0.9', 'HTTP/1.2', 'HTTP/1.9', 'HTTP/2.0', 'HTTP/3.0']) {
      expect(refusalOf('request', `GET / ${version}\r\n\r\n`)).toEqual(['ERR_WS_BAD_HTTP_VERSION', 505])
    }
    expect(refusalOf('request', 'PRI * HTTP/2.0\r\n\r\n')).toEqual(['ERR_WS_BAD_HTTP_VERSION', 505])
  })

  it('[V61] decides about every byte at every place of a request line [9112-2.2-01] [6455:10.7-01]', () => {
    for (const character of characters()) {
      const isVisible = character > ' ' && character < '\x7f'
      const inMethod = readChunks('request', [latin1(`G${character}T / HTTP/1.1\r\n\r\n`)])
      expect(inMethod.kind === 'head', `method ${character.charCodeAt(0)}`).toBe(TOKEN.test(character))
      const inTarget = readChunks('request', [latin1(`GET /${character}x HTTP/1.1\r\n\r\n`)])
      expect(inTarget.kind === 'head', `target ${character.charCodeAt(0)}`).toBe(isVisible)
      const behind = readChunks('request', [latin1(`GET / HTTP/1.1${character}\r\n\r\n`)])
      expect(behind.kind, `behind the version ${character.charCodeAt(0)}`).toBe('refused')
    }
  })
})

describe('HeadReader with a response', () => {
  it('reads status, reason and fields', () => {
    const head = headOf('response', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
    expect(head).toMatchObject({ status: 101, reason: 'Switching Protocols', version: '1.1' })
    expect(head.fields.get('upgrade')).toBe('websocket')
  })

  it('takes any reason, an empty one too, as what it says does not matter [9112-4-02]', () => {
    expect(headOf('response', 'HTTP/1.1 404 \r\n\r\n')).toMatchObject({ status: 404, reason: '' })
    expect(headOf('response', 'HTTP/1.0 999 101 \t\u00fcber\r\n\r\n')).toMatchObject({ status: 999, version: '1.0' })
  })

  it('refuses a malformed status line [6455:4.1-47]', () => {
    const lines = [
      'HTTP/1.1 101',
      'HTTP/1.1  101 OK',
      'HTTP/1.1 10 OK',
      'HTTP/1.1 1010 OK',
      'HTTP/1.1 099 OK',
      'HTTP/1.1 +101 OK',
      'HTTP/1.1 1e2 OK',
      'HTTP/1.1\t101 OK',
      ' HTTP/1.1 101 OK',
      'HTTP/1.1 101 O\x00K',
      'HTTP/1.1',
      '101 OK',
      'http/1.1 101 OK',
      'HTTP/1.1 101 O\rK',
      'HTTP/1.1  ',
      'HTTP/11 101 OK',
    ]
    for (const line of lines) expect(refusalOf('response', `${line}\r\n\r\n`), line).toEqual(MALFORMED.response)
    expect(refusalOf('response', '\r\nHTTP/1.1 101 OK\r\n\r\n')).toEqual(MALFORMED.response)
    expect(refusalOf('response', 'HTTP/2.0 200 OK\r\n\r\n')).toEqual(['ERR_WS_BAD_HTTP_VERSION', undefined])
  })
})

describe.each(KINDS)('HeadReader with the fields of a %s', (kind) => {
  const opening = `${OPENINGS[kind]}\r\n`

  it('leaves out whitespace around a value, and only that [9112-5.1-02]', () => {
    const head = headOf(kind, `${opening}a:b\r\nc: \t d \t \r\ne:  \t\r\nf:\r\ng: h \t i\r\nj: \u00a0k\u0085\r\n\r\n`)
    expect([...head.fields].map(([, value]) => value)).toEqual(['b', 'd', '', '', 'h \t i', '\u00a0k\u0085'])
  })

  it('keeps obs-text as opaque Latin-1 [9110-5.5-02] [9112-2.2-01]', () => {
    const high = characters().slice(128).join('')
    expect(headOf(kind, `${opening}x: ${high}\r\n\r\n`).fields.get('x')).toBe(high)
    expect(headOf(kind, `${opening}x: \u00c3\u00a9\r\n\r\n`).fields.get('x')).toBe('\u00c3\u00a9')
  })

  it('[V60] refuses whitespace before the colon [9112-5.1-01]', () => {
    for (const name of ['Host ', 'Host\t', 'Content-Length  ']) {
      expect(refusalOf(kind, `${opening}${name}: x\r\n\r\n`)).toEqual(MALFORMED[kind])
    }
  })

  it('[V60] refuses a folded line [9112-5.2-02] [9112-5.2-03]', () => {
    for (const fold of [' ', '\t', ' \t']) {
      expect(refusalOf(kind, `${opening}a: b\r\n${fold}c\r\n\r\n`)).toEqual(MALFORMED[kind])
      expect(refusalOf(kind, `${opening}a: b\r\n${fold}c: d\r\n\r\n`)).toEqual(MALFORMED[kind])
    }
  })

  it('[V60] refuses whitespace between the start line and the first field [9112-2.2-08]', () => {
    expect(refusalOf(kind, `${opening} a: b\r\n\r\n`)).toEqual(MALFORMED[kind])
    expect(refusalOf(kind, `${opening}\t\r\n\r\n`)).toEqual(MALFORMED[kind])
    expect(refusalOf(kind, `${opening}\ta: b\r\n\r\n`)).toEqual(MALFORMED[kind])
  })

  it('[V60] refuses a line that ends with a bare LF [9112-2.2-02]', () => {
    for (const text of [
      `${OPENINGS[kind]}\n\r\n`,
      `${opening}a: b\n\r\n`,
      `${opening}\n`,
      `${opening}a: b\r\n\n`,
      `${OPENINGS[kind]}\n\n`,
    ]) {
      expect(refusalOf(kind, text)).toEqual(MALFORMED[kind])
    }
  })

  it('[V60] refuses a bare CR wherever it stands [9112-2.2-04] [9110-5.5-01]', () => {
    for (const text of [
      `${OPENINGS[kind]}\rX: y\r\n\r\n`,
      `${opening}a: b\rc: d\r\n\r\n`,
      `${opening}a: b\r\r\n\r\n`,
      `${opening}\rX`,
      `${opening}a: b\r\n\rX: y\r\n\r\n`,
      `${opening}a\r: b\r\n\r\n`,
    ]) {
      expect(refusalOf(kind, text)).toEqual(MALFORMED[kind])
    }
  })

  it('[V61] refuses a line without a name, without a colon, or with a name that is no token', () => {
    for (const line of [
      ':',
      ': x',
      'x',
      'a b: c',
      'a(b): c',
      '"a": b',
      'a\x00: b',
      '\u00e9: b',
      'a/b: c',
      '@: b',
      'a\u00a0: b',
    ]) {
      expect(refusalOf(kind, `${opening}${line}\r\n\r\n`), line).toEqual(MALFORMED[kind])
    }
  })

  it('[V61] decides about every byte in a name and in a value [9110-5.5-01] [9112-2.2-09] [6455:10.7-04]', () => {
    for (const character of characters()) {
      const byte = character.charCodeAt(0)
      const inName = readChunks(kind, [latin1(`${opening}a${character}b: c\r\n\r\n`)])
      expect(inName.kind === 'head', `name ${byte}`).toBe(TOKEN.test(character) || character === ':')
      const inValue = readChunks(kind, [latin1(`${opening}a: b${character}c\r\n\r\n`)])
      const isAllowed = character === '\t' || (byte >= 0x20 && byte !== 0x7f)
      expect(inValue.kind === 'head', `value ${byte}`).toBe(isAllowed)
      for (const place of [`a: b\r${character}`, `a: b\r\n\r${character}`]) {
        const behindCr = readChunks(kind, [latin1(opening + place)])
        expect(behindCr.kind === 'refused', `behind CR ${byte}`).toBe(character !== '\n')
      }
    }
  })

  it('[V53] keeps names that mean something to objects as plain fields', () => {
    const lines = OBJECT_NAMES.map((name) => `${name}: of ${name}\r\n`).join('')
    const { fields } = headOf(kind, `${opening}${lines}\r\n`)
    for (const name of OBJECT_NAMES) expect(fields.get(name)).toBe(`of ${name}`)
    const empty = headOf(kind, `${opening}\r\n`).fields
    for (const name of OBJECT_NAMES) expect(empty.get(name)).toBeUndefined()
  })
})

describe.each(KINDS)('HeadReader and the limits of a %s', (kind) => {
  const tooLarge = (status: number) => ['ERR_WS_HEAD_TOO_LARGE', kind === 'request' ? status : undefined]
  const startLine = (length: number): string =>
    kind === 'request' ? `GET /${'x'.repeat(length - 14)} HTTP/1.1` : `HTTP/1.1 101 ${'x'.repeat(length - 13)}`

  it('allows a start line of 8,192 bytes and refuses a longer one with 414 [9112-3-03] [9112-3-04]', () => {
    expect(startLine(8192)).toHaveLength(8192)
    headOf(kind, `${startLine(8192)}\r\n\r\n`)
    expect(refusalOf(kind, `${startLine(8193)}\r\n\r\n`)).toEqual(tooLarge(414))
    if (kind === 'request') headOf(kind, `\r\n${startLine(8192)}\r\n\r\n`)
    if (kind === 'request') expect(refusalOf(kind, `\r\n${startLine(8193)}\r\n\r\n`)).toEqual(tooLarge(414))
  })

  it('allows a field line of 8,192 bytes and refuses a longer one with 431 [9110-5.4-01] [6455:10.4-01]', () => {
    headOf(kind, `${OPENINGS[kind]}\r\na: ${'x'.repeat(8189)}\r\n\r\n`)
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\na: ${'x'.repeat(8190)}\r\n\r\n`)).toEqual(tooLarge(431))
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\nb: c\r\n${'n'.repeat(8195)}`)).toEqual(tooLarge(431))
  })

  it('allows a head of 16,384 bytes and refuses a larger one with 431 [9110-5.4-01]', () => {
    const withSize = (size: number): string => {
      const begin = `${OPENINGS[kind]}\r\na: ${'x'.repeat(8000)}\r\nb: `
      return `${begin}${'y'.repeat(size - begin.length - 4)}\r\n\r\n`
    }
    expect(withSize(16_384)).toHaveLength(HEAD_LIMITS.maxHeadSize)
    headOf(kind, withSize(16_384), { maxFieldLineSize: 16_000 })
    expect(refusalOf(kind, withSize(16_385), { maxFieldLineSize: 16_000 })).toEqual(tooLarge(431))
  })

  it('[V50] [V63] allows 100 fields and refuses one more with 431, whatever their number up to 200 [9110-5.4-01]', () => {
    for (let count = 0; count <= 200; count++) {
      const lines = Array.from({ length: count }, (_, index) => `${index}:\r\n`).join('')
      const outcome = readChunks(kind, [latin1(`${OPENINGS[kind]}\r\n${lines}\r\n`)])
      if (count <= 100) expect(outcome).toMatchObject({ kind: 'head', head: { fields: { size: count } } })
      else {
        expect([outcome.kind === 'refused' && outcome.code, outcome.kind === 'refused' && outcome.status]).toEqual(
          tooLarge(431),
        )
      }
    }
    const hundred = `${OPENINGS[kind]}\r\n${'a: b\r\n'.repeat(100)}`
    expect(headOf(kind, `${hundred}\r\n`).fields.size).toBe(100)
    expect(refusalOf(kind, `${hundred}a: b\r\n\r\n`)).toEqual(tooLarge(431))
  })

  it('takes every limit as an option', () => {
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\na: b\r\nc: d\r\n\r\n`, { maxFields: 1 })).toEqual(tooLarge(431))
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\n\r\n`, { maxStartLineSize: 10 })).toEqual(tooLarge(414))
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\nabcdefgh: b\r\n\r\n`, { maxFieldLineSize: 5 })).toEqual(tooLarge(431))
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\n\r\n`, { maxHeadSize: 20 - 9 })).toEqual(tooLarge(431))
    const size = OPENINGS[kind].length + 4
    headOf(kind, `${OPENINGS[kind]}\r\n\r\n`, { maxHeadSize: size, maxStartLineSize: size - 4 })
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\n\r\n`, { maxHeadSize: size - 1 })).toEqual(tooLarge(431))
    // Where both end at the same byte, it is the line that is too long.
    const both = { maxHeadSize: size - 3, maxStartLineSize: size - 5 }
    expect(refusalOf(kind, `${OPENINGS[kind]}\r\n\r\n`, both)).toEqual(tooLarge(414))
  })

  it('refuses limits that are no positive integers', () => {
    for (const value of [Number.NaN, -1, 0, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, '1mb', null, undefined]) {
      for (const name of Object.keys(HEAD_LIMITS)) {
        const limits = Object.fromEntries([[name, value]])
        expect(() => new HeadReader(kind, limits)).toThrow(misuse('RangeError', 'ERR_WS_INVALID_LIMIT'))
      }
    }
    expect(() => new HeadReader(kind, { maxFields: 0 })).toThrow(RangeError)
  })

  it('[V62] [V74] keeps no more than the limit of a line or head that never ends', () => {
    const reader = new HeadReader(kind)
    reader.read(latin1(kind === 'request' ? 'GET /' : 'HTTP/1.1 101 '))
    expect(() => reader.read(Buffer.alloc(1 << 20, 'x'))).toThrow(HandshakeError)
    expect(reader.received.length).toBeLessThanOrEqual(HEAD_LIMITS.maxStartLineSize + 2)
  })
})

describe('HeadReader', () => {
  it('says where the head ends and leaves what is behind it', () => {
    const text = handshake()
    const chunk = latin1(`${text}\x81\x00`)
    const reader = new HeadReader('request')
    expect(reader.read(chunk)).toBe(text.length)
    expect(reader.read(chunk)).toBe(0)
    expect(reader.taken).toBe(text.length)
  })

  it('goes on from an empty chunk, and needs every byte', () => {
    expect(readEveryWay('request', '')).toEqual({ kind: 'incomplete', received: '' })
    expect(readEveryWay('request', handshake().slice(0, -1)).kind).toBe('incomplete')
  })

  it('has no head before it is complete, nor when it was refused [9110-5.3-03]', () => {
    const reader = new HeadReader('request')
    const early = misuse('TypeError', 'ERR_WS_HEAD_INCOMPLETE')
    expect(() => reader.head).toThrow(early)
    reader.read(latin1('GET / HTTP/1.1\r\n'))
    expect(() => reader.head).toThrow(early)
    expect(() => reader.read(latin1(' '))).toThrow(HandshakeError)
    expect(() => reader.head).toThrow(TypeError)
  })

  it('refuses again with the same error once it has refused', () => {
    for (const text of ['GET / HTTP/2.0\r\n\r\n', 'GET / HTTP/1.1\n']) {
      const reader = new HeadReader('request')
      const attempt = (): unknown => {
        try {
          return reader.read(latin1(text))
        } catch (error) {
          return error
        }
      }
      const error = attempt()
      expect(error).toBeInstanceOf(HandshakeError)
      expect(attempt()).toBe(error)
    }
  })

  it('[V69] explains itself with a section and a fixed sentence, and repeats nothing that it was sent [6455:10.7-04]', () => {
    const texts = [
      'G\x1b[31mT',
      'GET / HTTP/1.1\r\nsec\x1bret',
      'GET / HTTP/1.1\r\nx: sec\x1bret',
      'GET / HTTP/1.1\r\n secret',
      '\rsecret',
    ]
    for (const text of texts) {
      const reader = new HeadReader('request')
      let thrown: unknown
      try {
        reader.read(latin1(text))
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ section: expect.stringMatching(/^RFC 911[02] /) })
      expect(String(thrown)).toMatch(/^HandshakeError: [A-Z][ -~]+\.$/)
      expect(String(thrown)).not.toMatch(/secret|31m/)
    }
  })

  it('hands out copies: what it returns does not change with the chunk, nor does the chunk', () => {
    const reader = new HeadReader('request')
    const chunk = latin1(handshake())
    reader.read(chunk)
    chunk.fill(0)
    expect(reader.head.fields.get('host')).toBe('server.example.com')
    reader.received.fill(0)
    expect(reader.received.toString('latin1')).toBe(handshake())

    const cut = new HeadReader('request')
    const first = latin1('GET / HT')
    cut.read(first)
    first.fill(0)
    cut.received.fill(0)
    cut.read(latin1('TP/1.1\r\n\r\n'))
    expect(cut.head.version).toBe('1.1')
  })

  it('[V54] gathers a head that drips in in one buffer that grows no larger than the limit, and copies none that comes whole', () => {
    const allocate = vi.spyOn(Buffer, 'alloc')
    try {
      const maxHeadSize = 1_300
      const reader = new HeadReader('request', { maxHeadSize })
      const text = `GET / HTTP/1.1\r\na: ${'x'.repeat(maxHeadSize - 23)}\r\n\r\n`
      for (const byte of latin1(text)) reader.read(Buffer.of(byte))
      expect(reader.head.fields.size).toBe(1)
      expect(allocate.mock.calls.map(([size]) => size)).toEqual([512, 1_024, maxHeadSize])
      allocate.mockClear()
      new HeadReader('request').read(latin1(text))
      expect(allocate).not.toHaveBeenCalled()
    } finally {
      allocate.mockRestore()
    }
  })

  it('[V54] looks at each byte once, however they arrive', () => {
    const text = `GET /${'x'.repeat(4000)} HTTP/1.1\r\na: ${'y'.repeat(6000)}\r\n${'b: c\r\n'.repeat(90)}\r\n`
    for (const size of [1, 7, 1000, text.length]) {
      let looks = 0
      const counting = (chunk: Buffer): Buffer =>
        new Proxy(chunk, {
          get(target, key) {
            if (typeof key === 'string' && key >= '0' && key <= '9:') looks++
            const value: unknown = Reflect.get(target, key, target)
            return typeof value === 'function' ? value.bind(target) : value
          },
        })
      const reader = new HeadReader('request')
      for (let index = 0; index < text.length; index += size) {
        reader.read(counting(latin1(text.slice(index, index + size))))
      }
      expect(reader.head.fields.size).toBe(91)
      expect(looks).toBe(text.length)
    }
  })
})
