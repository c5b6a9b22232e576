import { describe, expect, it } from 'vitest'
import { PeerGone, Unexpected, Unimplemented } from '../../src/conformance/index.ts'
import type { Case, CloseRule, PeerEvent } from '../../src/conformance/index.ts'
import {
  describeEvents,
  describeOctets,
  judge,
  judgeUnopened,
  ruleOf,
  sameEvents,
  worse,
} from '../../src/conformance/judge.ts'
import type { Observation } from '../../src/conformance/judge.ts'
import { aCase } from './stage.ts'

const text = (payload: string): PeerEvent => ({ type: 'text', payload: Buffer.from(payload) })
const pong = (payload: string): PeerEvent => ({ type: 'pong', payload: Buffer.from(payload) })
const pause: PeerEvent = { type: 'pause' }

/** A connection as rule N wants it: the tester, a client, closes; the peer answers and ends TCP. */
const NORMAL: Observation = {
  events: [],
  tester: 'client',
  limit: 1000,
  firstClose: 'tester',
  sentCode: 1000,
  receivedCode: 1000,
  dropped: 'peer',
}
/** As rule K wants it. */
const FAILED_BY_PEER: Observation = { ...NORMAL, firstClose: 'peer', sentCode: 1002, receivedCode: 1002 }
const PEER_FAILS: CloseRule = { by: 'peer', codes: [1002], clean: false }
const REFUSED: CloseRule = { by: 'tester', codes: [1002], clean: false, codeMatters: true }
const { firstClose: _first, receivedCode: _code, ...NO_CLOSE } = NORMAL
const { sentCode: _sent, ...DROPPED } = NO_CLOSE

type Row = readonly [
  what: string,
  parts: Partial<Case>,
  seen: Partial<Observation>,
  verdicts: string,
  explanation: string,
]

const WANT_1000 = 'expected a Close frame with 1000 or without a code and the end of TCP'
const WANT_1002 = 'expected a Close frame with 1002 or without a code'

describe('judge, of the end of a connection', () => {
  const ok = { ok: [] }
  const rows: readonly Row[] = [
    ['takes a clean close', { expect: ok }, NORMAL, 'OK OK OK', ''],
    ['takes a close without a code', { expect: ok }, { ...NORMAL, receivedCode: 1005 }, 'OK OK OK', ''],
    [
      'does not take a peer that closes by itself',
      { expect: ok },
      { ...NORMAL, firstClose: 'peer', receivedCode: 1008, receivedReason: 'no\n' },
      'FAILED OK WRONG SIDE',
      'expected the connection to stay open, but the peer closed by itself with a Close frame with 1008 and the reason "no\\n"',
    ],
    [
      'does not take a peer that drops TCP',
      { expect: ok },
      DROPPED,
      'FAILED OK WRONG SIDE',
      'expected the connection to stay open, but the peer ended TCP',
    ],
    [
      'does not take a peer that does not answer the Close frame',
      { expect: ok },
      { ...NO_CLOSE, firstClose: 'tester', dropped: 'tester' },
      'FAILED OK UNCLEAN',
      `${WANT_1000}, but the peer answered the Close frame neither with one nor with the end of TCP`,
    ],
    [
      'does not take a peer that answers it with the end of TCP',
      { expect: ok },
      { ...NO_CLOSE, firstClose: 'tester' },
      'FAILED OK UNCLEAN',
      `${WANT_1000}, but the peer ended TCP without a Close frame`,
    ],
    [
      'does not take a server that leaves TCP open',
      { expect: ok },
      { ...NORMAL, receivedCode: 1005, dropped: 'tester' },
      'FAILED OK UNCLEAN',
      `${WANT_1000}, but the peer answered with a Close frame without a code and did not end TCP`,
    ],
    [
      'takes a client that leaves TCP open',
      { expect: ok },
      { ...NORMAL, tester: 'server', dropped: 'tester' },
      'OK OK OK',
      '',
    ],
    [
      'does not take another code',
      { expect: ok },
      { ...NORMAL, receivedCode: 1001 },
      'FAILED OK WRONG CODE',
      'expected a Close frame with 1000 or without a code, but the peer answered with a Close frame with 1001',
    ],
    [
      'does not take another code where that matters',
      { expect: ok, close: { by: 'tester', codes: [1000, 1001], clean: true, codeMatters: true } },
      { ...NORMAL, receivedCode: 1002 },
      'FAILED FAILED WRONG CODE',
      'expected a Close frame with 1000 or 1001 or without a code, but the peer answered with a Close frame with 1002',
    ],
    ['takes a peer that fails the connection', { expect: ok, close: PEER_FAILS }, FAILED_BY_PEER, 'OK OK OK', ''],
    ['takes one that does it with the end of TCP', { expect: ok, close: PEER_FAILS }, DROPPED, 'OK OK OK', ''],
    [
      'does not take one that does it with another code',
      { expect: ok, close: PEER_FAILS },
      { ...FAILED_BY_PEER, receivedCode: 1007 },
      'FAILED OK WRONG CODE',
      `${WANT_1002}, but the peer closed by itself with a Close frame with 1007`,
    ],
    [
      'does not take one that then leaves TCP open',
      { expect: ok, close: PEER_FAILS },
      { ...FAILED_BY_PEER, dropped: 'tester' },
      'FAILED OK NOT DROPPED',
      'expected the end of TCP, but the peer closed by itself with a Close frame with 1002 and did not end TCP',
    ],
    [
      'does not take a peer that does not fail the connection',
      { expect: ok, close: PEER_FAILS },
      { ...NORMAL, sentCode: 1001, gaveUp: true },
      'FAILED OK WRONG SIDE',
      `${WANT_1002}, or the end of TCP, but the connection was still open when the tester gave up after 1 s`,
    ],
    [
      'does not take it where the side matters',
      { expect: ok, close: { ...PEER_FAILS, sideMatters: true } },
      { ...NORMAL, sentCode: 1001, gaveUp: true },
      'FAILED FAILED WRONG SIDE',
      `${WANT_1002}, or the end of TCP, but the connection was still open when the tester gave up after 1 s`,
    ],
    [
      'takes the end of TCP for a Close frame that is no good',
      { expect: ok, close: REFUSED },
      { ...NO_CLOSE, firstClose: 'tester' },
      'OK OK OK',
      '',
    ],
    [
      'does not take silence for it, of a client either',
      { expect: ok, close: REFUSED },
      { ...NO_CLOSE, tester: 'server', firstClose: 'tester', dropped: 'tester' },
      'FAILED OK NOT DROPPED',
      'expected the end of TCP, but the peer answered the Close frame neither with one nor with the end of TCP',
    ],
    [
      'does not take an end that the tester had to make',
      { expect: ok, close: PEER_FAILS },
      { ...DROPPED, dropped: 'tester' },
      'FAILED OK WRONG SIDE',
      `${WANT_1002}, or the end of TCP, but the peer answered the Close frame neither with one nor with the end of TCP`,
    ],
    [
      'asks for nothing where there is no rule',
      { informational: true },
      DROPPED,
      'INFORMATIONAL INFORMATIONAL INFORMATIONAL',
      'the peer ended TCP',
    ],
  ]

  it.each(rows)('%s', (_, parts, seen, verdicts, why) => {
    const { verdict, behavior, close, explanation } = judge(aCase(parts), seen as Observation)
    expect({ verdicts: `${verdict} ${behavior} ${close}`, explanation }).toEqual({ verdicts, explanation: why })
  })

  it('fails a connection that did not come about', () => {
    expect(judgeUnopened('no')).toEqual({
      verdict: 'FAILED',
      behavior: 'FAILED',
      close: 'NO HANDSHAKE',
      explanation: 'no',
    })
  })
})

describe('judge, of what the peer did', () => {
  const echo = { expect: { ok: [text('hello')], nonStrict: [] } }
  const late = { expect: { ok: [pause], nonStrict: [pause, pause] }, close: PEER_FAILS }
  const rows: readonly Row[] = [
    ['takes what was expected', echo, { events: [text('hello')] }, 'OK OK OK', ''],
    [
      'tells what is allowed from what is best',
      echo,
      {},
      'NON-STRICT NON-STRICT OK',
      'expected the text "hello", but nothing came, which is allowed, but not the best',
    ],
    [
      'does not take other octets',
      echo,
      { events: [text('hellO')] },
      'FAILED FAILED OK',
      'expected the text "hello", but there came the text "hellO"',
    ],
    [
      'does not take another type',
      { expect: { ok: [text('a'), pong('')] } },
      { events: [text('a'), text('')] },
      'FAILED FAILED OK',
      'expected the text "a", then a Pong of no octets, but there came the text "a", then the text of no octets',
    ],
    [
      'does not take nothing',
      { expect: { ok: [text('hello')] } },
      { gaveUp: true },
      'FAILED FAILED OK',
      'expected the text "hello", but nothing came within 1 s',
    ],
    [
      'does not take something for nothing',
      { expect: { ok: [] } },
      { events: [pause] },
      'FAILED FAILED OK',
      'expected neither a message nor a Pong, but there came the end of a pause',
    ],
    ['takes an end in time', late, { ...FAILED_BY_PEER, events: [pause] }, 'OK OK OK', ''],
    [
      'takes one that is late where it may be',
      late,
      { ...FAILED_BY_PEER, events: [pause, pause] },
      'NON-STRICT NON-STRICT OK',
      'expected the connection to fail behind part 2 of what was sent, but it was part 3, which is allowed, but not the best',
    ],
    [
      'does not take one that is early',
      late,
      { ...FAILED_BY_PEER, events: [] },
      'FAILED FAILED OK',
      'expected the connection to fail behind part 2 of what was sent, but it was part 1',
    ],
    ['takes a play that went well', {}, {}, 'OK OK OK', ''],
    [
      'tells what a play did not expect',
      {},
      { failure: new Unexpected('expected more') },
      'FAILED FAILED OK',
      'expected more',
    ],
    [
      'tells what the peer does not do, and then wants a normal close',
      { close: PEER_FAILS },
      { failure: new Unimplemented('no deflate') },
      'UNIMPLEMENTED UNIMPLEMENTED OK',
      'no deflate',
    ],
    [
      'tells that the peer was gone, and how',
      {},
      { ...DROPPED, failure: new PeerGone('gone') },
      'FAILED FAILED WRONG SIDE',
      'expected more from the peer before the end; expected the connection to stay open, but the peer ended TCP',
    ],
    ['tells a fault of its own', {}, { failure: new TypeError('oops') }, 'FAILED FAILED OK', 'the tester failed: oops'],
    [
      'does not take what no play asked for',
      {},
      { events: [text('again')] },
      'FAILED FAILED OK',
      'expected nothing more, but there came the text "again"',
    ],
    [
      'takes it where the peer has to end the connection',
      { close: PEER_FAILS },
      { ...FAILED_BY_PEER, events: [text('again')] },
      'OK OK OK',
      '',
    ],
    [
      'does not take a breach, whatever else there is',
      echo,
      { events: [text('hello')], breach: 'it masked', gaveUp: true, receivedCode: 1002 },
      'FAILED FAILED WRONG CODE',
      'the peer broke a rule that holds always: it masked',
    ],
    [
      'does not say how an end came about that it made itself',
      { informational: true },
      { breach: 'it masked', gaveUp: true },
      'INFORMATIONAL INFORMATIONAL INFORMATIONAL',
      'the tester failed the connection',
    ],
  ]

  it.each(rows)('%s', (_, parts, seen, verdicts, why) => {
    const { verdict, behavior, close, explanation } = judge(
      aCase(parts),
      'tester' in seen ? (seen as Observation) : { ...NORMAL, ...seen },
    )
    expect({ verdicts: `${verdict} ${behavior} ${close}`, explanation }).toEqual({ verdicts, explanation: why })
  })
})

describe('verdicts and rules', () => {
  it('go from good to bad', () => {
    expect(worse('OK', 'INFORMATIONAL')).toBe('INFORMATIONAL')
    expect(worse('NON-STRICT', 'UNIMPLEMENTED')).toBe('NON-STRICT')
    expect(worse('FAILED', 'NON-STRICT')).toBe('FAILED')
  })

  it('are those of the tester where the case says nothing, or the peer does nothing', () => {
    const normal = { by: 'tester', codes: [1000], clean: true }
    expect(ruleOf(aCase({}), undefined)).toEqual(normal)
    expect(ruleOf(aCase({ close: PEER_FAILS }), undefined)).toBe(PEER_FAILS)
    expect(ruleOf(aCase({ close: PEER_FAILS }), new Unimplemented(''))).toEqual(normal)
  })
})

describe('events', () => {
  it('are the same to the octet', () => {
    expect(sameEvents([text('a'), pause], [text('a'), pause])).toBe(true)
    for (const other of [
      [text('a')],
      [text('a'), text('')],
      [text('b'), pause],
      [pong('a'), pause],
      [pause, text('a')],
    ]) {
      expect(sameEvents([text('a'), pause], other)).toBe(false)
    }
  })

  it('are told briefly', () => {
    const binary: PeerEvent = { type: 'binary', payload: Buffer.alloc(300, 0xfe) }
    const ping: PeerEvent = { type: 'ping', payload: Buffer.from('x\n') }
    expect(describeEvents([binary, ping])).toBe(
      `the binary message of 300 octets that begins with ${'fe'.repeat(24)}, then a Ping with "x\\n"`,
    )
    expect(describeEvents(Array.from({ length: 6 }, () => pong('p')))).toBe(
      'a Pong with "p", then a Pong with "p", then a Pong with "p", then a Pong with "p", then 2 more',
    )
    expect(describeOctets(Buffer.from('short'))).toBe('"short"')
  })
})
