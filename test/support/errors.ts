/** Errors of ours, as tests expect them: what they say is free to change, but they have to say something, and on what ground. */
import { expect } from 'vitest'

/** What every error has to say: several words. */
export const SENTENCE = /\w+\W+\w+\W+\w/
const SECTION = /^RFC \d{4} \d/

/** A mistake of the caller's own. */
export function misuse(name: 'TypeError' | 'RangeError', code: string): unknown {
  return expect.objectContaining({ name, code, message: expect.stringMatching(SENTENCE) as unknown })
}

/** A handshake that failed; `status` is what a request is answered with. */
export function failedHandshake(code: string, status?: number): unknown {
  const said = {
    message: expect.stringMatching(SENTENCE) as unknown,
    section: expect.stringMatching(SECTION) as unknown,
  }
  return expect.objectContaining({ name: 'HandshakeError', code, status, ...said })
}
