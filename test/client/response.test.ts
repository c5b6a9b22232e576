/** The server's answer to the opening handshake, as its bytes come (RFC 6455 4.1). */
import { describe, expect, it } from 'vitest'
import { ResponseReader } from '../../src/client/response.ts'
import { takingBy } from '../support/answers.ts'
import { latin1 } from '../support/heads.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
const FIELDS = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n`
const ANSWER = `HTTP/1.1 101 Switching Protocols\r\n${FIELDS}\r\n`
/** By a client that has offered `protocols`. */
const takingFor = (protocols: readonly string[]): ReturnType<typeof takingBy> =>
  takingBy(
    () => new ResponseReader({ key: KEY, protocols }),
    ({ protocol }) => [protocol],
  )
const { take, takeEveryWay } = takingFor([])

const UNEXPECTED = 'ERR_WS_UNEXPECTED_RESPONSE'

describe('ResponseReader', () => {
  it('opens with the answer of the RFC, wherever it is cut [6455:4.1-41]', () => {
    expect(takeEveryWay(ANSWER)).toEqual(['open', undefined, ''])
    expect(
      takingFor(['a', 'b']).takeEveryWay(ANSWER.replace('\r\n\r\n', '\r\nSec-WebSocket-Protocol: b\r\n\r\n')),
    ).toEqual(['open', 'b', ''])
  })

  it('loses no octet that stands behind the answer', () => {
    const frames = '\x81\x05Hello\x82\x01\xff\x89\x00'
    expect(takeEveryWay(`${ANSWER}${frames}`)).toEqual(['open', undefined, frames])
    expect(takeEveryWay(`${ANSWER}\r\n`)).toEqual(['open', undefined, '\r\n'])
  })

  it('waits while the answer is not complete', () => {
    for (const end of [0, 1, 20, ANSWER.length - 1]) expect(takeEveryWay(ANSWER.slice(0, end))).toEqual(['waiting'])
  })

  it('passes over up to eight interim responses, which have no body [9112-6.3-01] [6455:4.1-41] [9110-15.2-01]', () => {
    const interim = [
      '100 Continue',
      '102 Processing',
      '103 Early Hints\r\nLink: </a>',
      '199 ',
      '100 X\r\nContent-Length: 5',
    ]
    const heads = [...interim, ...interim].slice(0, 8).map((line) => `HTTP/1.1 ${line}\r\n\r\n`)
    for (let count = 1; count <= 8; count++) {
      expect(take([latin1(`${heads.slice(0, count).join('')}${ANSWER}rest`)])).toEqual(['open', undefined, 'rest'])
    }
    expect(takeEveryWay(`${heads.join('')}${ANSWER}rest`)).toEqual(['open', undefined, 'rest'])
    expect(takeEveryWay(`${heads.join('')}HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno`)).toEqual([
      UNEXPECTED,
      403,
      'no',
    ])
  })

  it('fails at the ninth interim response', () => {
    const nine = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(9)
    expect(takeEveryWay(nine)).toEqual(['ERR_WS_BAD_RESPONSE', undefined, undefined])
    expect(take([latin1(`${nine}${ANSWER}`)])).toEqual(['ERR_WS_BAD_RESPONSE', undefined, undefined])
    expect(takeEveryWay(nine.slice(0, -1))).toEqual(['waiting'])
  })

  it('tells status and body of any other answer when its body is complete [6455:4.1-i01]', () => {
    expect(takeEveryWay('HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nlog in')).toEqual([UNEXPECTED, 401, 'log in'])
    expect(takeEveryWay('HTTP/1.1 401 No\r\nContent-Length: 6\r\n\r\nlog in, please')).toEqual([
      UNEXPECTED,
      401,
      'log in',
    ])
    expect(takeEveryWay('HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n')).toEqual([
      UNEXPECTED,
      302,
      '',
    ])
    expect(takeEveryWay('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n')).toEqual([
      UNEXPECTED,
      200,
      'hi',
    ])
    expect(takeEveryWay('HTTP/1.1 204 No Content\r\n\r\n')).toEqual([UNEXPECTED, 204, ''])
    expect(takeEveryWay('HTTP/1.0 999 \r\nContent-Length: 0\r\n\r\n')).toEqual([UNEXPECTED, 999, ''])
  })

  it('does not take what is behind another answer for one [9112-6.3-05]', () => {
    expect(takeEveryWay(`HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n${ANSWER}`)).toEqual([UNEXPECTED, 403, ''])
  })

  it('tells as much of an answer as came, when nothing more is going to come', () => {
    expect(takeEveryWay('HTTP/1.1 503 Busy\r\n\r\ntry la')).toEqual(['waiting', UNEXPECTED, 503, 'try la'])
    expect(takeEveryWay('HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\ntry')).toEqual([
      'waiting',
      UNEXPECTED,
      503,
      'try',
    ])
    expect(takeEveryWay('HTTP/1.1 503 Busy\r\n')).toEqual(['waiting'])
  })

  it('keeps the first 64 KiB of a body', () => {
    const head = latin1('HTTP/1.1 500 No\r\n\r\n')
    const body = Buffer.alloc(65_536, 'abc')
    expect(take([head, body.subarray(1)])).toEqual(['waiting', UNEXPECTED, 500, body.toString('latin1', 1)])
    expect(take([head, body])).toEqual([UNEXPECTED, 500, body.toString('latin1')])
    expect(take([Buffer.concat([head, body, body])])).toEqual([UNEXPECTED, 500, body.toString('latin1')])
  })

  it('fails with the error of the head, when that is malformed or too large', () => {
    for (const text of [
      'SSH-2.0-OpenSSH\r\n',
      'HTTP/1.1 101 X\n',
      ' HTTP',
      'HTTP/1.1 101 X\r\nA : b',
      'HTTP/1.1 101 X\r\n\0',
    ]) {
      const [code] = takeEveryWay(text)
      expect([text, code]).toEqual([text, 'ERR_WS_BAD_RESPONSE'])
    }
    const endless = `HTTP/1.1 101 X\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(20)}`
    expect(take([latin1(endless)])[0]).toBe('ERR_WS_HEAD_TOO_LARGE')
  })

  it('checks a 101 in full', () => {
    expect(takeEveryWay(ANSWER.replace('s3p', 'S3P'))).toEqual(['ERR_WS_BAD_ACCEPT', 101, undefined])
  })
})
