import { describe, expect, it } from 'vitest'

import { requestHead } from '../../src/handshake/decode.ts'
import { checkChoice, checkOffers, chooseProtocol, parseProtocols } from '../../src/handshake/subprotocol.ts'
import { failedHandshake, misuse } from '../support/errors.ts'
import { OBJECT_NAMES } from '../support/heads.ts'

const request = requestHead('GET', '/', '1.1', [])
const invalid = misuse('TypeError', 'ERR_WS_INVALID_PROTOCOL')

describe('parseProtocols', () => {
  it('reads tokens in order', () => {
    expect(parseProtocols('chat')).toEqual(['chat'])
    expect(parseProtocols('chat.v2 ,superchat,\tmqtt')).toEqual(['chat.v2', 'superchat', 'mqtt'])
  })

  it('refuses what is no token, and a list without one, with 400 [6455:4.2.1-01]', () => {
    const refusal = failedHandshake('ERR_WS_BAD_PROTOCOL', 400)
    for (const value of ['', ' ', ',', 'a b', 'a;b', 'a, b c', '"a"', 'a/b', '\u00e9', 'a, \u00ff', 'a@b', '\u0085']) {
      expect(() => parseProtocols(value), value).toThrow(refusal)
    }
  })

  it('refuses a name given twice, and tells names by their case [6455:4.2.1-01]', () => {
    for (const value of ['a, a', 'a, b, c, a', 'chat,chat']) {
      expect(() => parseProtocols(value)).toThrow(expect.objectContaining({ status: 400 }))
    }
    expect(parseProtocols('chat, Chat')).toEqual(['chat', 'Chat'])
  })

  it('[V53] keeps names that mean something to objects as plain names', () => {
    expect(parseProtocols(OBJECT_NAMES.join(', '))).toEqual(OBJECT_NAMES)
  })

  it('[V51] takes time in proportion to the text, however hostile', () => {
    const length = 1 << 18
    const hostile = [
      `b${' '.repeat(length)}x`,
      ','.repeat(length),
      ' ,'.repeat(length / 2),
      Array.from({ length: length / 8 }, (_, index) => index).join(),
    ]
    const start = process.cpuUsage()
    for (const value of hostile) {
      try {
        parseProtocols(value)
      } catch (error) {
        expect(error).toMatchObject({ status: 400 })
      }
    }
    const { user } = process.cpuUsage(start)
    expect(user / 1000).toBeLessThan(5_000)
  })
})

describe('chooseProtocol', () => {
  it("takes the first of the server's list that was offered [6455:4.2.2-08]", () => {
    expect(chooseProtocol(['a', 'b', 'c'], ['x', 'c', 'a'], request)).toBe('c')
    expect(chooseProtocol(['a'], ['A', 'b'], request)).toBeUndefined()
  })

  it('chooses none without a policy or without offers [6455:4.2.2-09]', () => {
    expect(chooseProtocol(['a'], undefined, request)).toBeUndefined()
    expect(chooseProtocol([], ['a'], request)).toBeUndefined()
    const unasked = (): never => expect.unreachable()
    expect(chooseProtocol([], unasked, request)).toBeUndefined()
  })

  it('asks a function with the offers and the request', () => {
    const chooser = (offers: readonly string[], head: unknown): string | undefined =>
      head === request ? offers[1] : undefined
    expect(chooseProtocol(['a', 'b'], chooser, request)).toBe('b')
    expect(chooseProtocol(['a', 'b'], () => undefined, request)).toBeUndefined()
  })

  it('refuses a function that chooses what was not offered [6455:4.2.2-08]', () => {
    for (const choice of ['b', '', 'A', 5, null, false, Promise.resolve('a')]) {
      expect(() => chooseProtocol(['a'], () => choice as string, request)).toThrow(invalid)
    }
  })
})

describe('checkChoice and checkOffers', () => {
  it('let through one of the offers, or none', () => {
    expect(checkChoice('a', ['a'])).toBe('a')
    expect(checkChoice(undefined, [])).toBeUndefined()
    expect(() => checkChoice('constructor', [])).toThrow(invalid)
  })

  it('let a client offer different tokens only [6455:4.1-36] [6455:4.1-37]', () => {
    checkOffers([])
    checkOffers(['a', 'A', ...OBJECT_NAMES])
    for (const offers of [
      [''],
      ['a b'],
      ['a', 'a'],
      ['a,b'],
      ['a\r\nX: y'],
      ['\u010a'],
      [5 as unknown as string],
      [null as unknown as string],
    ]) {
      expect(() => checkOffers(offers)).toThrow(invalid)
    }
  })
})
