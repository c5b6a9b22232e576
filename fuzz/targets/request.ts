/**
 * The head of a request, through `HeadReader`, `acceptRequest` and what writes the answer.
 *
 * - However it is cut it is the same head, or the same error at the same octet, and always a `HandshakeError`.
 * - It is a head by the grammar of RFC 9112 exactly when it is read as one, and then the parser of node:http, strict as it
 *   is by default, reads the same fields in it (on a sample).
 * - What is accepted keeps every item of RFC 6455 4.2.1.
 * - Every answer is a response, and says nothing that came from the peer but what it chose of the offers.
 */
import { acceptOffer, deflateSettings } from '../../src/deflate/index.ts'
import {
  acceptKey,
  acceptRequest,
  formatAcceptance,
  formatRejection,
  parseTarget,
  rejectionOf,
} from '../../src/handshake/index.ts'
import type { Acceptance, RequestHead } from '../../src/handshake/index.ts'
import { HEAD_DICTIONARY, requestHead } from '../generate/heads.ts'
import { readHead, whyNoHandshake } from '../reference/heads.ts'
import { parseWithNode } from '../reference/node-parser.ts'
import { waysToCut } from '../support/cuts.ts'
import { SMALL_LIMITS, compareWithReference, inWords, readInChunks } from './heads.ts'
import type { HeadOutcome } from './heads.ts'
import { check } from './target.ts'
import type { Input, Target } from './target.ts'

const settings = deflateSettings(true)!
const PROTOCOLS = ['superchat', 'chat', '__proto__']
/** How much of what is accepted is asked of node, which takes as long as some fifty heads. */
const SAMPLE = 0.1
/** llhttp has a list of methods, and a grammar of targets by method; here that is left to `acceptRequest`. */
const KNOWN_METHODS = new Set(['GET', 'POST', 'HEAD', 'OPTIONS'])

function limitsOf(input: Input): typeof SMALL_LIMITS | undefined {
  return input.settings === 'small' ? SMALL_LIMITS : undefined
}

/** Writes the answer, and sees that it can be read. Answers what was accepted, if it was. */
function answer(head: RequestHead, octets: Buffer): Acceptance | undefined {
  const result = acceptRequest(head, {
    protocols: PROTOCOLS,
    extensions: (offers) => acceptOffer(offers, settings),
  })
  const written = result.accepted ? Buffer.from(formatAcceptance(result), 'latin1') : formatRejection(result)
  const response = readInChunks('response', written, [])
  const status = result.accepted ? 101 : result.status
  check(response.head?.status === status, () => `the answer cannot be read: ${written.toString('latin1')}`)
  if (!result.accepted) return undefined

  const plain = readHead('request', octets.toString('latin1'))!
  const reason = whyNoHandshake(plain)
  check(
    reason === undefined,
    () => `accepted, and ${reason} is wrong: ${inWords({ head, error: undefined, taken: 0 })}`,
  )
  const { fields } = response.head
  const key = head.fields.get('sec-websocket-key')!
  check(fields.get('sec-websocket-accept') === acceptKey(key), () => `${fields.get('sec-websocket-accept')} for ${key}`)
  const protocol = fields.get('sec-websocket-protocol')
  const isOffered =
    protocol === undefined || (PROTOCOLS.includes(protocol) && result.offeredProtocols.includes(protocol))
  check(isOffered, () => `the subprotocol ${protocol} was chosen`)
  return result
}

/** What node makes of it. A body is not its head's business, so that heads with one are not asked about. */
async function compareWithNode(head: RequestHead, octets: Buffer): Promise<void> {
  const { fields } = head
  const request = await parseWithNode(withoutTab(octets))
  check(request !== undefined, () => `node refuses it: ${JSON.stringify(octets.toString('latin1'))}`)
  const [theirs, ours] = [JSON.stringify(request.fields), JSON.stringify([...fields])]
  check(request.url === head.target && theirs === ours, () => `node reads ${request.url} ${theirs}`)
}

/** Node 20 takes no HTAB behind the number of a Content-Length; RFC 9112 5 does, and Node from 22 on. */
function withoutTab(octets: Buffer): Buffer {
  return Buffer.from(
    octets.toString('latin1').replace(/(?<=\r\ncontent-length:[ \t]*\d+ *)\t[ \t]*(?=\r\n)/i, ''),
    'latin1',
  )
}

function canAskNode({ method, target, fields }: RequestHead): boolean {
  if (parseTarget(target) === undefined) return false
  return KNOWN_METHODS.has(method) && !fields.has('content-length') && !fields.has('transfer-encoding')
}

function read(input: Input): HeadOutcome<'request'> {
  return readInChunks('request', input.octets, [], limitsOf(input))
}

export const request: Target = {
  name: 'request',
  settings: ['', 'small'],
  unit: 'heads',
  dictionary: HEAD_DICTIONARY,
  generate: (random) => requestHead(random),

  run(input, random) {
    const { octets } = input
    const whole = read(input)
    const expected = inWords(whole)
    for (const cuts of waysToCut(octets.length, random)) {
      const cut = inWords(readInChunks('request', octets, cuts, limitsOf(input)))
      check(cut === expected, () => `cut at ${cuts.join(', ')}: ${cut}; whole: ${expected}`)
    }
    compareWithReference('request', octets, whole)
    const { head, error } = whole
    if (error !== undefined) {
      const { head: told } = readInChunks('response', formatRejection(rejectionOf(error)), [])
      check(told?.status === error.status, () => `the answer to ${expected} cannot be read`)
    }
    if (head === undefined) return 1
    const accepted = answer(head, octets) !== undefined
    if (!random.chance(SAMPLE) || !(accepted || canAskNode(head))) return 1
    return compareWithNode(head, octets.subarray(0, whole.taken)).then(() => 1)
  },

  outcome(input) {
    const { head, error, taken } = read(input)
    if (error !== undefined) return `${error.code} ${error.status}`
    if (head === undefined) return `incomplete after ${taken}`
    const result = acceptRequest(head, { protocols: PROTOCOLS, extensions: (offers) => acceptOffer(offers, settings) })
    return result.accepted ? 'accepted' : `${result.error.code} ${result.status}`
  },
}
