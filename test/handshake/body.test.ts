/** What is kept of the body of a response (RFC 9112 6.3, 7.1). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyReader } from '../../src/handshake/body.ts'
import { HeadReader } from '../../src/handshake/head.ts'
import { latin1 } from '../support/heads.ts'

function reader(fields = '', { limit = 100, status = 403 } = {}): BodyReader {
  const head = new HeadReader('response')
  head.read(latin1(`HTTP/1.1 ${status} No\r\n${fields}\r\n`))
  return new BodyReader(head.head, limit)
}

interface Outcome {
  readonly body: string
  readonly complete: boolean
}

function read(fields: string, chunks: readonly Buffer[], options?: { limit?: number; status?: number }): Outcome {
  const body = reader(fields, options)
  let complete = false
  for (const chunk of chunks) complete = body.take(chunk)
  return { body: body.body.toString('latin1'), complete }
}

/** What comes of `text` whole, cut in two anywhere, and octet by octet. */
function readEveryWay(fields: string, text: string, options?: { limit?: number; status?: number }): Outcome {
  const bytes = latin1(text)
  const outcome = read(fields, [bytes], options)
  const cuts = Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
  expect(cuts.map((cut) => read(fields, cut, options))).toEqual(cuts.map(() => outcome))
  const octets = Array.from(bytes, (octet) => Buffer.of(octet))
  // Of nothing at all there is no octet; a reader learns that only when it is handed the empty rest behind a head.
  expect(read(fields, [Buffer.alloc(0), ...octets], options)).toEqual(outcome)
  return outcome
}

const LENGTH_5 = 'Content-Length: 5\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

describe('BodyReader', () => {
  it('takes as many octets as Content-Length says, and ignores what follows', () => {
    expect(readEveryWay(LENGTH_5, 'hell')).toEqual({ body: 'hell', complete: false })
    expect(readEveryWay(LENGTH_5, 'hello')).toEqual({ body: 'hello', complete: true })
    expect(readEveryWay(LENGTH_5, 'hello, world')).toEqual({ body: 'hello', complete: true })
    expect(readEveryWay('Content-Length: 0\r\n', '')).toEqual({ body: '', complete: true })
    expect(readEveryWay('Content-Length: 9\r\n', 'hello, world!')).toEqual({ body: 'hello, wo', complete: true })
    expect(readEveryWay('Content-Length: 12\r\n', 'hello, world!')).toEqual({ body: 'hello, world', complete: true })
  })

  it('takes all up to the end of the connection without a Content-Length that can be understood', () => {
    const unclear = ['', 'x', '-1', '+5', '5, 5', '0x5', '1e1', '5 5', '/', ':'].map(
      (value) => `Content-Length: ${value}\r\n`,
    )
    for (const fields of ['', ...unclear, `${LENGTH_5}${LENGTH_5}`]) {
      expect(readEveryWay(fields, 'hello, world'), fields).toEqual({ body: 'hello, world', complete: false })
    }
  })

  it('keeps no more than the limit, whatever is declared, and is complete then', () => {
    const full = { body: '0123456789', complete: true }
    const many = '0123456789abc'
    expect(readEveryWay('', many, { limit: 10 })).toEqual(full)
    expect(readEveryWay('', '0123456789', { limit: 10 })).toEqual(full)
    expect(readEveryWay('', '012345678', { limit: 10 })).toEqual({ body: '012345678', complete: false })
    expect(readEveryWay(`Content-Length: ${'9'.repeat(400)}\r\n`, many, { limit: 10 })).toEqual(full)
    expect(readEveryWay(CHUNKED, `d\r\n${many}\r\n`, { limit: 10 })).toEqual(full)
    expect(readEveryWay(CHUNKED, '8\r\n01234567\r\n8\r\n89abcdef\r\n', { limit: 10 })).toEqual(full)
  })

  it('puts chunks together', () => {
    expect(readEveryWay(CHUNKED, '5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n')).toEqual({
      body: 'hello, world',
      complete: true,
    })
    expect(readEveryWay(CHUNKED, '0\r\n\r\n')).toEqual({ body: '', complete: true })
    expect(readEveryWay(CHUNKED, '')).toEqual({ body: '', complete: false })
    expect(readEveryWay(CHUNKED, '5\r\nhello\r\n')).toEqual({ body: 'hello', complete: false })
    expect(readEveryWay(CHUNKED, '5\r\nhel')).toEqual({ body: 'hel', complete: false })
  })

  it('reads the size of a chunk in hex of either case, with leading zeros', () => {
    for (const [size, length] of [
      ['a', 10],
      ['A', 10],
      ['1f', 31],
      ['1F', 31],
      ['0010', 16],
      ['0000010', 16],
      ['f', 15],
    ] as const) {
      const content = 'x'.repeat(length)
      expect(readEveryWay(CHUNKED, `${size}\r\n${content}\r\n0\r\n\r\n`), size).toEqual({
        body: content,
        complete: true,
      })
    }
  })

  it('passes over chunk extensions and trailers, even such as look like sizes', () => {
    const body = '5;a=1;b="7"\r\nhello\r\n3 ; face\r\nabc\r\n0;last\r\nExpires: never\r\n5\r\n\r\n'
    expect(readEveryWay(CHUNKED, body)).toEqual({ body: 'helloabc', complete: true })
  })

  it('ends the body where the size of a chunk is none', () => {
    for (const size of ['', ';a=1', 'x', '-5', ' 5', '00000005', 'fffffff0', '12345678', 'g', '/', '@', '`']) {
      const { body, complete } = readEveryWay(CHUNKED, `2\r\nab\r\n${size}\r\nhello\r\n0\r\n\r\n`)
      // An empty line is none, so what follows it is the size: "h" is no digit.
      expect([size, body, complete]).toEqual([size, 'ab', true])
    }
    expect(readEveryWay(CHUNKED, '2\r\nabXhello')).toEqual({ body: 'ab', complete: true })
  })

  it('takes Transfer-Encoding for more than Content-Length', () => {
    expect(readEveryWay(`Content-Length: 3\r\n${CHUNKED}`, '5\r\nhello\r\n0\r\n\r\n').body).toBe('hello')
    expect(readEveryWay(`${CHUNKED}Content-Length: 3\r\n`, '5\r\nhello\r\n0\r\n\r\n').body).toBe('hello')
  })

  it('reads chunks only where chunked is the last of the transfer codings', () => {
    for (const codings of ['chunked', 'CHUNKED', 'gzip, chunked', 'x, , Chunked ,']) {
      const outcome = readEveryWay(`Transfer-Encoding: ${codings}\r\n`, '2\r\nab\r\n0\r\n\r\n')
      expect([codings, outcome.body]).toEqual([codings, 'ab'])
    }
    for (const codings of ['gzip', 'identity', 'chunked, gzip', 'chunkedx', '', ',', 'chunked;q=1', 'x y']) {
      const outcome = readEveryWay(`Transfer-Encoding: ${codings}\r\n${LENGTH_5}`, '2\r\nab\r\n0\r\n\r\n')
      expect([codings, outcome]).toEqual([codings, { body: '2\r\nab\r\n0\r\n\r\n', complete: false }])
    }
    expect(readEveryWay('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', '2\r\nab\r\n0\r\n\r\n').body).toBe(
      'ab',
    )
  })

  it('expects no body with 204 and 304, whatever their fields say', () => {
    for (const status of [204, 304]) {
      for (const fields of ['', LENGTH_5, CHUNKED]) {
        expect(readEveryWay(fields, '', { status })).toEqual({ body: '', complete: true })
        expect(readEveryWay(fields, 'hello', { status })).toEqual({ body: '', complete: true })
      }
    }
    for (const status of [200, 205, 301, 303, 305]) expect(readEveryWay('', '', { status }).complete).toBe(false)
  })

  it('is told the same by any chunking of any content', () => {
    const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 })
    fc.assert(
      fc.property(contents, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (pieces, sizes) => {
        const chunks = pieces.flatMap((piece) => [latin1(`${piece.length.toString(16)}\r\n`), piece, latin1('\r\n')])
        const bytes = Buffer.concat([...chunks, latin1('0\r\n\r\n')])
        const cut: Buffer[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length]
          cut.push(bytes.subarray(at, at + size))
          at += size
        }
        const content = Buffer.concat(pieces).toString('latin1')
        expect(read(CHUNKED, cut, { limit: 1000 })).toEqual({ body: content, complete: true })
      }),
    )
  })

  it('keeps copies: the memory of what was read is not held on to, nor seen to change', () => {
    const body = reader()
    const chunk = Buffer.from('hello')
    body.take(chunk)
    chunk.fill(0)
    expect(body.body.toString()).toBe('hello')
  })
})
