import { describe, expect, it } from 'vitest'
import {
  acceptOf,
  createKey,
  decimal,
  extensionName,
  fieldOf,
  hasToken,
  headEnd,
  listOf,
  readHead,
  statusOf,
  writeHead,
} from '../../src/conformance/head.ts'

describe('heads', () => {
  it('are read as they are written', () => {
    const text = writeHead('GET / HTTP/1.1', [
      ['Host', 'example.org'],
      ['Upgrade', 'websocket'],
    ])
    expect(text).toBe('GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n\r\n')
    const fields = new Map([
      ['host', 'example.org'],
      ['upgrade', 'websocket'],
    ])
    expect(readHead(text)).toEqual({ startLine: 'GET / HTTP/1.1', fields })
  })

  it('join what several lines of a name say, without the blanks around it', () => {
    const head = readHead('HTTP/1.1 101 \r\nA:1\r\na: \t 2\t \r\nB:\r\n\r\n')
    expect(head?.fields).toEqual(
      new Map([
        ['a', '1, 2'],
        ['b', ''],
      ]),
    )
  })

  it.each(['GET / HTTP/1.1\r\nno colon\r\n\r\n', 'GET / HTTP/1.1\r\n: no name\r\n\r\n', 'x\r\na\r\nb:1\r\n\r\n'])(
    'are none: %j',
    (text) => {
      expect(readHead(text)).toBeUndefined()
    },
  )

  it('end behind their empty line', () => {
    expect(headEnd(Buffer.from('a\r\n\r\nb'))).toBe(5)
    expect(headEnd(Buffer.from('a\r\n\rb'))).toBe(-1)
  })
})

describe('fieldOf', () => {
  it('is empty where there is none', () => {
    const head = readHead('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect([fieldOf(head, 'host'), fieldOf(head, 'upgrade'), fieldOf(undefined, 'host')]).toEqual(['a', '', ''])
  })
})

describe('lists', () => {
  it('have elements between commas, the empty ones left out', () => {
    expect(listOf(' a,b ,, c; d=1,')).toEqual(['a', 'b', 'c; d=1'])
    expect(listOf('')).toEqual([])
  })

  it('have tokens in whatever case', () => {
    expect(hasToken('keep-alive, UpGrade', 'upgrade')).toBe(true)
    expect(hasToken('keep-alive', 'upgrade')).toBe(false)
    expect(hasToken('', 'upgrade')).toBe(false)
  })

  it('of extensions begin with a name', () => {
    expect(extensionName('permessage-deflate; client_max_window_bits')).toBe('permessage-deflate')
    expect(extensionName('x')).toBe('x')
  })
})

describe('statusOf', () => {
  it.each([
    ['HTTP/1.1 101 Switching Protocols', 101],
    ['HTTP/1.0 404', 404],
    ['HTTP/1.1 1011', undefined],
    ['HTTP/1.1 1x1 no', undefined],
    ['HTTP/1.1-101 no', undefined],
    ['HTTP/2 101', undefined],
    ['SSH-2.0-OpenSSH', undefined],
  ])('reads %j as %s', (line, status) => {
    expect(statusOf(line)).toBe(status)
  })
})

describe('decimal', () => {
  it.each([
    ['0', 0],
    ['042', 42],
    ['999999999', 999_999_999],
    ['', undefined],
    ['1000000000', undefined],
    ['-1', undefined],
    ['1a', undefined],
  ])('reads %j as %s', (text, number) => {
    expect(decimal(text)).toBe(number)
  })
})

describe('keys', () => {
  it('are answered as the RFC has it [6455:4.2.2-09]', () => {
    expect(acceptOf('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  })

  it('are 16 octets, others each time', () => {
    expect(Buffer.from(createKey(), 'base64')).toHaveLength(16)
    expect(createKey()).not.toBe(createKey())
  })
})
