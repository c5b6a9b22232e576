/**
 * `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 4.1, 4.2.2): the client sends a random nonce, and the server
 * shows that it speaks the WebSocket protocol by hashing it with a fixed GUID. No secret is involved: SHA-1 is no weakness
 * here (10.8), and the comparison need not take constant time.
 */

import crypto from 'node:crypto'

/** RFC 6455 1.3 */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const NONCE_SIZE = 16

/** SHA-1 in base64: by `crypto.hash`, which makes no object, where the runtime has it. */
export function chooseDigest(hash: typeof crypto.hash | undefined): (text: string) => string {
  return hash === undefined
    ? (text) => crypto.createHash('sha1').update(text).digest('base64')
    : (text) => hash('sha1', text, 'base64')
}

const digest = chooseDigest(crypto.hash)

/** A new nonce for `Sec-WebSocket-Key`: 16 random bytes in base64. Every attempt to connect needs its own (4.1). */
export function createKey(): string {
  return crypto.randomBytes(NONCE_SIZE).toString('base64')
}

/** The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (4.2.2): base64 of SHA-1 of the key's text and the GUID. */
export function acceptKey(key: string): string {
  return digest(key + GUID)
}
