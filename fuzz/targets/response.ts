/**
 * The answer to an opening handshake, through the client's `ResponseReader`: interim responses, 101, a refusal with its body.
 *
 * - However it is cut it means the same, and nothing but a `HandshakeError` is thrown.
 * - What is accepted keeps every item of RFC 6455 4.1, and says nothing that was not offered.
 * - Every octet is either the answer's or handed on.
 */
import { ResponseReader } from '../../src/client/response.ts'
import { HandshakeError } from '../../src/errors.ts'
import { formatExtensions } from '../../src/handshake/index.ts'
import { ACCEPT, HEAD_DICTIONARY, KEY, responseHead } from '../generate/heads.ts'
import { readHead, whyNoAnswer } from '../reference/heads.ts'
import { cutUp, waysToCut } from '../support/cuts.ts'
import type { Cuts } from '../support/cuts.ts'
import { compareWithReference, readInChunks } from './heads.ts'
import { check, codeOf } from './target.ts'
import type { Input, Target } from './target.ts'

const OFFERED = ['chat', 'superchat']
const MAX_BODY = 65_536

interface Answer {
  readonly words: string
  /** Octets in front of what was handed on, if it was accepted. */
  readonly length: number | undefined
}

function read(octets: Buffer, cuts: Cuts): Answer {
  const expected = { key: KEY, protocols: OFFERED, extensions: ['permessage-deflate'] }
  const reader = new ResponseReader(expected)
  const chunks = cutUp(octets, cuts)
  const told = chunks.map((chunk) => chunk.length)
  try {
    for (const [at, chunk] of chunks.entries()) {
      const agreement = reader.take(chunk)
      if (agreement === undefined) {
        chunk.fill(0x58)
        continue
      }
      const behind = told.slice(at + 1).reduce((sum, length) => sum + length, 0) + agreement.rest.length
      const length = octets.length - behind
      const words = `${agreement.protocol ?? ''} ${formatExtensions(agreement.extensions)}`.trim()
      return { words: `accepted ${words}`.trim(), length }
    }
  } catch (thrown) {
    codeOf(thrown, HandshakeError)
    return refused(thrown as HandshakeError)
  }
  const failure = reader.failure(new HandshakeError('ERR_WS_INCOMPLETE', 'incomplete'))
  return refused(failure)
}

function refused({ code, section, status, headers, body }: HandshakeError): Answer {
  check((body?.length ?? 0) <= MAX_BODY, () => `a body of ${body?.length} octets is kept`)
  const fields = JSON.stringify([...headers])
  return {
    words: `${code} ${status ?? ''} ${section ?? ''} ${fields} ${body?.toString('latin1') ?? ''}`,
    length: undefined,
  }
}

export const response: Target = {
  name: 'response',
  settings: [''],
  unit: 'heads',
  dictionary: HEAD_DICTIONARY,
  generate: (random) => responseHead(random),

  run({ octets }, random) {
    const whole = read(octets, [])
    for (const cuts of waysToCut(octets.length, random)) {
      const cut = read(octets, cuts)
      const isSame = cut.words === whole.words && cut.length === whole.length
      check(isSame, () => `cut at ${cuts.join(', ')}: ${cut.words}; whole: ${whole.words}`)
    }
    compareWithReference('response', octets, readInChunks('response', octets, []))
    if (whole.length === undefined) return 1
    // Interim responses have no body (RFC 9110 15.2).
    let text = octets.toString('latin1')
    let head = readHead('response', text)
    let length = head?.length ?? 0
    while (head !== undefined && head.startLine[1] !== '101') {
      text = text.slice(head.length)
      head = readHead('response', text)
      length += head?.length ?? 0
    }
    check(head !== undefined, () => `accepted, and not a head: ${whole.words}`)
    const reason = whyNoAnswer(head, ACCEPT, OFFERED)
    check(reason === undefined, () => `accepted, and ${reason} is wrong`)
    check(whole.length === length, () => `${whole.length} octets are the answer's, of ${length}`)
    return 1
  },

  outcome: ({ octets }: Input) => read(octets, []).words.replace(/ \[.*/s, ''),
}
