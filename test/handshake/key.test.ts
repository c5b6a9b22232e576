import { createHash, hash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { isKey } from '../../src/handshake/grammar.ts'
import { acceptKey, chooseDigest, createKey } from '../../src/handshake/key.ts'

describe('acceptKey', () => {
  it('answers the sample key of the RFC [6455:4.2.2-i04]', () => {
    expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  })

  it('is the same with crypto.hash and without it [6455:4.2.2-i04]', () => {
    const withHash = chooseDigest(hash)
    const without = chooseDigest(undefined)
    for (const text of ['', 'abc', 'x'.repeat(1000)]) {
      const expected = createHash('sha1').update(text).digest('base64')
      expect(withHash(text)).toBe(expected)
      expect(without(text)).toBe(expected)
    }
  })

  it('uses the function that it is given', () => {
    const calls: unknown[] = []
    const fake = ((...parameters: unknown[]) => {
      calls.push(parameters)
      return 'digest'
    }) as unknown as typeof hash
    expect(chooseDigest(fake)('text')).toBe('digest')
    expect(calls).toEqual([['sha1', 'text', 'base64']])
  })
})

describe('createKey', () => {
  it('is base64 of 16 bytes and never the same twice [6455:4.1-29] [6455:4.1-30]', () => {
    const keys = new Set<string>()
    for (let count = 0; count < 10_000; count++) {
      const key = createKey()
      keys.add(key)
      if (!isKey(key)) throw new Error(key)
    }
    expect(keys.size).toBe(10_000)
    const bytes = [...keys].map((key) => Buffer.from(key, 'base64'))
    expect(bytes.every((nonce) => nonce.length === 16)).toBe(true)
    for (let index = 0; index < 16; index++) expect(new Set(bytes.map((nonce) => nonce[index])).size).toBe(256)
  })
})
