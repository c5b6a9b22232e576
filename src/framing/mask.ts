/**
 * Masking (RFC 6455 5.3, 10.3): octet `i` of the payload is XORed with octet `i mod 4` of the key. The same function
 * masks and unmasks.
 *
 * `applyMaskPlain` is the definition. `applyMask` does the same work on words of 128 bits (`simd.ts`) or 32 where that
 * pays. Both answer the key rotated by the octets they consumed, so that a payload that comes in pieces goes on with the
 * answer and needs no counter beside it.
 */
import { randomFillSync } from 'node:crypto'
import { simd } from './simd.ts'
import type { Simd } from './simd.ts'

/** Below this many octets, setting up the words costs more than they save. */
const WORDS_FROM = 48
/** From this many octets on it pays to copy them to where they can be masked fastest, and back. */
const SIMD_FROM = 2048

/** The key that the octet after `count` octets meets first. */
function rotate(key: number, count: number): number {
  const bits = (count & 3) << 3
  return (key >>> bits) | (key << ((32 - bits) & 31))
}

/** Masks `bytes[start, end)` in place, an octet at a time; answers the rotated key. */
export function applyMaskPlain(bytes: Uint8Array, start: number, end: number, key: number): number {
  let rotated = key
  for (let i = start; i < end; i++) {
    bytes[i] ^= rotated
    rotated = (rotated >>> 8) | (rotated << 24)
  }
  return rotated
}

/** Masks `bytes[start, end)` in place; answers the rotated key. Equal to `applyMaskPlain`, faster. */
export function applyMask(bytes: Uint8Array, start: number, end: number, key: number): number {
  if (key === 0) return 0
  if (bytes === simd?.lent) {
    simd.mask(start, end, key)
    return rotate(key, end - start)
  }
  if (simd !== undefined && end - start >= SIMD_FROM) return applyMaskInPieces(simd, bytes, start, end, key)
  if (end - start >= WORDS_FROM) return applyMaskToWords(bytes, start, end, key)
  const k0 = key
  const k1 = key >>> 8
  const k2 = key >>> 16
  const k3 = key >>> 24
  let i = start
  for (const last = end - 3; i < last; i += 4) {
    bytes[i] ^= k0
    bytes[i + 1] ^= k1
    bytes[i + 2] ^= k2
    bytes[i + 3] ^= k3
  }
  if (i < end) bytes[i++] ^= k0
  if (i < end) bytes[i++] ^= k1
  if (i < end) bytes[i] ^= k2
  return rotate(key, end - start)
}

/** A piece is a multiple of the key, so each begins with the same phase. */
function applyMaskInPieces(
  { scratch, scratchAt, mask }: Simd,
  bytes: Uint8Array,
  start: number,
  end: number,
  key: number,
): number {
  for (let at = start; at < end; at += scratch.length) {
    const length = Math.min(scratch.length, end - at)
    scratch.set(bytes.subarray(at, at + length))
    mask(scratchAt, scratchAt + length, key)
    bytes.set(scratch.subarray(0, length), at)
  }
  return rotate(key, end - start)
}

/** Octets of the largest memory that `words` remembers: far more than one read, too little to be missed. */
const REMEMBER_UP_TO = 1_048_576

/**
 * A view on the memory that was masked last: one read often holds many frames, and a view costs more than a small frame.
 * It keeps that memory alive until other memory is masked, which is why a large one is not remembered.
 */
let words: Int32Array = new Int32Array(0)

/** The platform's own order of octets in a word: the key is put through it once per payload. */
const keyOctets = new Uint8Array(4)
const keyWord = new Int32Array(keyOctets.buffer)

function applyMaskToWords(bytes: Uint8Array, start: number, end: number, key: number): number {
  const memory = bytes.buffer
  let view = words
  if (view.buffer !== memory) {
    view = new Int32Array(memory, 0, Math.floor(memory.byteLength / 4))
    if (memory.byteLength <= REMEMBER_UP_TO) words = view
  }

  // Octets up to a word boundary of the memory, whole words, octets that are left. Offsets may exceed 2^31: no shifts.
  const base = bytes.byteOffset
  const aligned = start + (-(base + start) & 3)
  const wordKey = applyMaskPlain(bytes, start, aligned, key)
  keyOctets[0] = wordKey
  keyOctets[1] = wordKey >>> 8
  keyOctets[2] = wordKey >>> 16
  keyOctets[3] = wordKey >>> 24
  const mask = keyWord[0]

  let word = (base + aligned) / 4
  const lastWord = Math.floor((base + end) / 4)
  for (const last = lastWord - 7; word < last; word += 8) {
    view[word] ^= mask
    view[word + 1] ^= mask
    view[word + 2] ^= mask
    view[word + 3] ^= mask
    view[word + 4] ^= mask
    view[word + 5] ^= mask
    view[word + 6] ^= mask
    view[word + 7] ^= mask
  }
  for (; word < lastWord; word++) view[word] ^= mask
  applyMaskPlain(bytes, word * 4 - base, end, wordKey)
  return rotate(key, end - start)
}

const POOL_KEYS = 1024
const pool = new Int32Array(POOL_KEYS)
let taken = POOL_KEYS

/**
 * A fresh masking key, unpredictable from all earlier ones (5.3, 10.3): 32 bits of the operating system's randomness,
 * fetched for a thousand keys at a time. A key that has been handed out is erased from the pool.
 */
export function createMaskingKey(): number {
  if (taken === POOL_KEYS) {
    randomFillSync(pool)
    taken = 0
  }
  const key = pool[taken]
  pool[taken++] = 0
  return key
}
