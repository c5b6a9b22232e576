import { describe, expect, it } from 'vitest'

import { decoders, requestHead } from '../../src/handshake/decode.ts'
import { acceptRequest } from '../../src/handshake/index.ts'
import { failedHandshake } from '../support/errors.ts'
import { HANDSHAKE_FIELDS, handshake, headOf, OBJECT_NAMES } from '../support/heads.ts'

describe('decoders', () => {
  it('make a head of a text and the marks in it', () => {
    const text = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'
    const head = decoders.request(text, [3, 6, 15, 21, 24])
    expect(head).toMatchObject({ method: 'GET', target: '/x', version: '1.1', fields: { size: 1 } })
    expect(decoders.response('HTTP/1.1 101 OK\r\n\r\n', [8, 12, 15])).toMatchObject({ status: 101, reason: 'OK' })
  })
})

describe('requestHead', () => {
  it('makes of what node:http has read the head that HeadReader makes of the bytes', () => {
    const head = requestHead('GET', '/chat', '1.1', HANDSHAKE_FIELDS.flat())
    const read = headOf('request', handshake())
    expect({ ...head, fields: [...head.fields] }).toEqual({ ...read, fields: [...read.fields] })
    expect(acceptRequest(head).accepted).toBe(true)
  })

  it('refuses versions other than 1.0 and 1.1 with 505', () => {
    expect(requestHead('GET', '/', '1.0', []).version).toBe('1.0')
    for (const version of ['2.0', '0.9', '', '1.11']) {
      expect(() => requestHead('GET', '/', version, [])).toThrow(failedHandshake('ERR_WS_BAD_HTTP_VERSION', 505))
    }
  })

  it('[V50] refuses more fields than allowed with 431 instead of losing any [9110-5.4-01]', () => {
    const lines = (count: number): string[] => Array.from({ length: count }, () => ['A', 'b']).flat()
    expect(requestHead('GET', '/', '1.1', lines(100)).fields.size).toBe(100)
    expect(() => requestHead('GET', '/', '1.1', lines(101))).toThrow(failedHandshake('ERR_WS_HEAD_TOO_LARGE', 431))
    expect(requestHead('GET', '/', '1.1', lines(200), 200).fields.size).toBe(200)
    expect(() => requestHead('GET', '/', '1.1', lines(2), 1)).toThrow(failedHandshake('ERR_WS_HEAD_TOO_LARGE', 431))
  })

  it('[V53] keeps names that mean something to objects as plain fields', () => {
    const { fields } = requestHead(
      'GET',
      '/',
      '1.1',
      OBJECT_NAMES.flatMap((name) => [name, 'x']),
    )
    for (const name of OBJECT_NAMES) expect(fields.get(name)).toBe('x')
  })
})
