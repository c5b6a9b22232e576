/** Octets taken apart: what frames say together, and what is wrong with that. */
import { describe, expect, it } from 'vitest'
import { inspectOctets, isCut } from '../../src/cli/inspection.ts'
import type { FramePart, InspectOptions, Inspection } from '../../src/cli/inspection.ts'
import { encodeFrame } from '../../src/framing/index.ts'
import type { Frame } from '../../src/framing/index.ts'
import { deflated } from '../support/deflate.ts'

function inspect(hex: string, options?: InspectOptions): Inspection {
  return inspectOctets(Buffer.from(hex.replaceAll(' ', ''), 'hex'), options)
}

function inspectFrames(sent: readonly Frame[], options?: InspectOptions): Inspection {
  return inspectOctets(Buffer.concat(sent.map(encodeFrame)), options)
}

function frames({ parts }: Inspection): FramePart[] {
  return parts.filter((part) => part.kind === 'frame')
}

function problems(inspection: Inspection): string[] {
  return frames(inspection).flatMap((part) => [
    ...part.fields.filter((field) => !isCut(field)).flatMap(({ problem }) => problem ?? []),
    ...part.problems,
  ])
}

describe('the examples of RFC 6455 5.7', () => {
  it.each([
    ['a single-frame unmasked text message', '81 05 48 65 6c 6c 6f', 1],
    ['a single-frame masked text message', '81 85 37 fa 21 3d 7f 9f 4d 51 58', 1],
    ['a fragmented unmasked text message', '01 03 48 65 6c 80 02 6c 6f', 2],
    ['an unmasked Ping and its masked Pong', '89 05 48 65 6c 6c 6f 8a 85 37 fa 21 3d 7f 9f 4d 51 58', 2],
  ])('%s is in order', (_, hex, count) => {
    const inspection = inspect(hex)
    expect(frames(inspection)).toHaveLength(count)
    expect(inspection).toMatchObject({ mistakes: 0, cut: false })
  })
})

describe('inspectOctets', () => {
  it('tells where each frame is', () => {
    const [one, other] = frames(inspect('81 01 61 81 82 00 00 00 00 62 63'))
    expect([one.start, one.end, other.start, other.end]).toEqual([0, 3, 3, 11])
    expect(other.octets.toString('hex')).toBe('8182000000006263')
  })

  it('puts fragments together, whatever control frames are between them', () => {
    const [, ping, last] = frames(inspect('01 03 48 65 6c 89 00 80 82 01 02 03 04 6d 6d'))
    expect(ping.message).toBeUndefined()
    expect(last.message?.toString()).toBe('Hello')
    expect(last.text).toBe(true)
  })

  it('finds text that is no UTF-8 only when it is whole', () => {
    const good = inspect('01 01 c3 80 01 a9')
    expect([good.mistakes, frames(good)[1].message?.toString()]).toEqual([0, 'é'])
    expect(problems(inspect('01 01 c3 80 01 41'))).toEqual(['The text of the message is not UTF-8 (RFC 6455 8.1).'])
    expect(problems(inspect('02 01 c3 80 01 41'))).toEqual([])
  })

  it.each([
    ['a frame behind a Close', '88 00 81 00', 'After a Close frame nothing more is sent (RFC 6455 5.5.1).'],
    ['a message within another', '01 00 81 00', 'A message begins before the one before it has ended (RFC 6455 5.4).'],
    [
      'a continuation of nothing',
      '81 00 80 00',
      'There is no message that this frame could go on with (RFC 6455 5.4).',
    ],
    ['a reserved bit', 'a1 00', 'No extension gives RSV2 a meaning.'],
    ['a length that is not the shortest', '81 7e 00 01 61', 'A length must be told in as few octets as it can.'],
    ['a fragmented control frame', '09 00', 'A control frame must not be fragmented (RFC 6455 5.5).'],
  ])('names %s', (_, hex, problem) => {
    expect(problems(inspect(hex))).toEqual([problem])
    expect(inspect(hex).mistakes).toBe(1)
  })

  it('lets the first frame go on with what nobody has seen', () => {
    expect(inspect('80 00').mistakes).toBe(0)
    expect(frames(inspect('80 00'))[0].message).toBeUndefined()
  })

  it('judges masking when it is known who speaks', () => {
    expect(inspect('81 00', { from: 'client' }).mistakes).toBe(1)
    expect(inspect('81 00', { from: 'server' }).mistakes).toBe(0)
    expect(inspect('81 80 00 00 00 00', { from: 'server' }).mistakes).toBe(1)
  })

  it.each([
    ['half a header', '81'],
    ['a length', '81 7e 00'],
    ['a masking key', '81 81 00'],
    ['a payload', '81 05 48'],
    ['a fragmented message', '01 01 48 80 05 48'],
  ])('says that %s is cut, which breaks no rule', (_, hex) => {
    expect(inspect(hex)).toMatchObject({ mistakes: 0, cut: true })
  })

  it('takes nothing for nothing', () => {
    expect(inspect('')).toEqual({ octets: 0, parts: [], mistakes: 0, cut: false })
  })
})

describe('compressed messages', () => {
  it('are inflated, with what came before', () => {
    const sentence = 'Hello, said the one to the other. '.repeat(4)
    const inspection = inspectFrames([
      { opcode: 1, rsv1: true, payload: deflated(sentence) },
      { opcode: 1, rsv1: true, payload: deflated(sentence, Buffer.from(sentence)) },
    ])
    expect(frames(inspection).map(({ message }) => message?.toString())).toEqual([sentence, sentence])
    expect(inspection.mistakes).toBe(0)
  })

  it('are inflated when all of their fragments are there', () => {
    const octets = deflated('Hello')
    const inspection = inspectFrames([
      { opcode: 2, rsv1: true, fin: false, payload: octets.subarray(0, 2) },
      { opcode: 0, payload: octets.subarray(2) },
    ])
    expect(frames(inspection)[1].message?.toString()).toBe('Hello')
    expect(frames(inspection)[1].text).toBe(false)
  })

  it('may be none', () => {
    const inspection = inspectFrames([{ opcode: 1, rsv1: true, payload: Buffer.from([0xff, 0xff]) }])
    expect(problems(inspection)).toEqual(['The message is not what DEFLATE makes (RFC 7692 7.2.2).'])
  })

  it('may be no text', () => {
    const octets = deflated(Buffer.from([0xff]))
    expect(problems(inspectFrames([{ opcode: 1, rsv1: true, payload: octets }]))).toEqual([
      'The text of the message is not UTF-8 (RFC 6455 8.1).',
    ])
  })

  it('are not inflated beyond all bounds', () => {
    const bomb = deflated(Buffer.alloc(17 * 1024 * 1024))
    const inspection = inspectFrames([{ opcode: 2, rsv1: true, payload: bomb }])
    expect(inspection.mistakes).toBe(0)
    expect(frames(inspection)[0].message).toBeUndefined()
  })

  it('are a mistake where compression was not agreed upon', () => {
    const inspection = inspectFrames([{ opcode: 1, rsv1: true, payload: 'Hello' }], { deflate: false })
    expect(problems(inspection)).toEqual(['No extension that was agreed on gives RSV1 a meaning.'])
  })
})

describe('an opening handshake', () => {
  const request = [
    'GET / HTTP/1.1',
    'Host: a',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    '\r\n',
  ].join('\r\n')
  const response = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    '\r\n',
  ].join('\r\n')
  const unmasked = '\x81\0'
  const masked = '\x81\x80\0\0\0\0'

  function kinds(text: string, options?: InspectOptions): [string[], number] {
    const { parts, mistakes } = inspectOctets(Buffer.from(text, 'latin1'), options)
    return [parts.map(({ kind }) => kind), mistakes]
  }

  it('tells who speaks', () => {
    expect(kinds(request + masked)).toEqual([['request', 'frame'], 0])
    expect(kinds(request + unmasked)).toEqual([['request', 'frame'], 1])
    expect(kinds(response + unmasked)).toEqual([['response', 'frame'], 0])
    expect(kinds(response + masked)).toEqual([['response', 'frame'], 1])
    expect(kinds(response + masked, { from: 'client' })).toEqual([['response', 'frame'], 0])
  })

  it('of both sides is followed by frames of both', () => {
    expect(kinds(request + response + masked + unmasked)).toEqual([['request', 'response', 'frame', 'frame'], 0])
  })

  it('makes the first frame the first one', () => {
    expect(kinds(`${request}\x80\x80\0\0\0\0`)).toEqual([['request', 'frame'], 1])
  })

  it('tells that there is no compression', () => {
    expect(kinds(`${request}\xc1\x80\0\0\0\0`)).toEqual([['request', 'frame'], 1])
  })

  it('may be cut, or refused, or wrong', () => {
    expect(kinds(request.slice(0, 30))).toEqual([['request'], 0])
    expect(inspectOctets(Buffer.from(request.slice(0, 30))).cut).toBe(true)
    expect(kinds('HTTP/1.1 404 Not Found\r\n\r\nnothing here')).toEqual([['response', 'body'], 0])
    expect(kinds('HTTP/1.1 404 Not Found\r\n\r\n')).toEqual([['response'], 0])
    expect(kinds(`${request.replace('Host', 'Guest')}${masked}`)).toEqual([['request', 'frame'], 1])
  })
})
