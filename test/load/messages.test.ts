/** Messages that tell who they are: of every size, text and binary, and nothing of one can be changed without being noticed. */
import { isUtf8 } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { LARGEST, Messages, SMALLEST, keyOf, mix } from '../../load/messages.ts'
import type { Key } from '../../load/messages.ts'

const messages = new Messages(7)
const keys = Array.from({ length: 5000 }, (_, sequence): Key => {
  return { kind: sequence % 10 === 0 ? 'B' : 'E', sender: sequence % 100, sequence }
})
const made = keys.map((key) => messages.make(key))

describe('Messages', () => {
  it('have 64 octets to 64 KiB, most of them few, and 2 KiB in the mean', () => {
    const sizes = made.map((message) => Buffer.byteLength(message)).toSorted((a, b) => a - b)
    let sum = 0
    for (const size of sizes) sum += size
    expect(sizes[0]).toBeGreaterThanOrEqual(SMALLEST - 3)
    expect(sizes[0]).toBeLessThan(SMALLEST + 2)
    expect(sizes[2500]).toBeLessThan(270)
    expect(sizes.at(-1)).toBeGreaterThan(LARGEST / 2)
    expect(sizes.at(-1)).toBeLessThanOrEqual(LARGEST)
    expect(sum / sizes.length).toBeGreaterThan(1500)
    expect(sum / sizes.length).toBeLessThan(2600)
  })

  it('are octets, ASCII and other text, which is well-formed', () => {
    const texts = made.filter((message) => typeof message === 'string')
    const wide = texts.filter((text) => Buffer.byteLength(text) > text.length)
    expect(Math.abs(texts.length - 2500)).toBeLessThan(200)
    expect(Math.abs(wide.length - 625)).toBeLessThan(120)
    const broken = wide.filter((text) => !isUtf8(Buffer.from(text)) || Buffer.from(text).toString() !== text)
    expect(broken).toEqual([])
  })

  it('are what they were, with the same seed, and others with another', () => {
    const [same, other] = [new Messages(7), new Messages(8)]
    expect(keys.slice(0, 100).map((key) => same.make(key))).toEqual(made.slice(0, 100))
    expect(keys.slice(0, 100).filter((key, at) => other.isRight(key, made[at]))).toEqual([])
  })

  it('say who they are, and are right', () => {
    expect(made.map(keyOf)).toEqual(keys)
    expect(keys.filter((key, at) => !messages.isRight(key, made[at]))).toEqual([])
  })

  it('are wrong with any octet changed, missing or too many, and as a message of the other type', () => {
    for (const key of keys.slice(0, 40)) {
      const message = messages.make(key)
      const octets = Buffer.from(message)
      const as = (changed: Buffer): string | Buffer => (typeof message === 'string' ? changed.toString() : changed)
      for (let at = 0; at < octets.length; at += 1 + (octets.length >> 6)) {
        const changed = Buffer.from(octets)
        changed[at] ^= 1
        expect([key, at, messages.isRight(key, as(changed))]).toEqual([key, at, false])
      }
      expect(messages.isRight(key, as(octets.subarray(0, -1)))).toBe(false)
      expect(messages.isRight(key, as(Buffer.concat([octets, octets.subarray(-1)])))).toBe(false)
      expect(messages.isRight(key, typeof message === 'string' ? octets : octets.toString('latin1'))).toBe(false)
    }
  })

  it('are not those of another key', () => {
    const { kind, sender, sequence } = keys[7]
    const others: Key[] = [
      { kind: 'B', sender, sequence },
      { kind, sender: sender + 1, sequence },
      { kind, sender, sequence: sequence + 1 },
    ]
    expect(others.filter((other) => messages.isRight(other, made[7]))).toEqual([])
  })
})

describe('keyOf', () => {
  it.each(['', 'E', 'X0000000000000001', 'Ezzzzz0000000001', 'E00001zzzzzzzzzz'])('knows no %j', (text) => {
    expect([keyOf(text), keyOf(Buffer.from(text))]).toEqual([undefined, undefined])
  })
})

describe('mix', () => {
  it('makes of numbers that follow each other 32 bits of which each is set in half of them', () => {
    for (let bit = 0; bit < 32; bit++) {
      let set = 0
      for (let value = 0; value < 10_000; value++) set += (mix(value) >>> bit) & 1
      expect(Math.abs(set - 5000)).toBeLessThan(300)
    }
  })
})
