/**
 * Reports that nobody ran: results as the kit would give them, with frames written octet by octet.
 */
import type { CaseResult, LogEntry, Report } from '../../../src/conformance/result.ts'
import { KEY, frame } from '../../support/wire.ts'

/** A result; what is not given is that of a case that is OK. */
export function result(id: string, parts: Partial<CaseResult> = {}): CaseResult {
  return {
    id,
    title: `What ${id} is about`,
    rule: 'RFC 6455 5.2',
    verdict: 'OK',
    behavior: 'OK',
    close: 'OK',
    explanation: '',
    duration: 4.2,
    sentCode: 1000,
    receivedCode: 1000,
    log: goodLog(),
    ...parts,
  }
}

export function report(results: readonly CaseResult[], parts: Partial<Report> = {}): Report {
  return {
    peer: { role: 'server', name: 'ws://127.0.0.1:9001' },
    startedAt: '2026-11-22T16:13:12.345Z',
    duration: 83_000,
    results,
    ...parts,
  }
}

export function entry(from: LogEntry['from'], kind: LogEntry['kind'], parts: Partial<LogEntry> = {}): LogEntry {
  const octets = parts.octets ?? Buffer.alloc(0)
  return { at: 0.5, from, kind, octets, length: octets.length, ...parts }
}

export const REQUEST = [
  'GET /chat HTTP/1.1',
  'Host: 127.0.0.1:9001',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  '\r\n',
].join('\r\n')

export const RESPONSE = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  '\r\n',
].join('\r\n')

export function goodLog(): LogEntry[] {
  return [
    entry('tester', 'head', { at: 0.3, octets: Buffer.from(REQUEST) }),
    entry('peer', 'head', { at: 1.4, octets: Buffer.from(RESPONSE) }),
    entry('tester', 'frame', { at: 1.6, octets: frame(0x81, 'Hello, world!', { key: KEY }) }),
    entry('peer', 'frame', { at: 2.1, octets: frame(0x81, 'Hello, world!') }),
    entry('tester', 'frame', { at: 2.3, octets: frame(0x88, Buffer.from([3, 232]), { key: KEY }) }),
    entry('peer', 'frame', { at: 2.9, octets: frame(0x88, Buffer.from([3, 232])) }),
    entry('peer', 'end', { at: 3.1, text: 'TCP was ended.' }),
  ]
}

/** The log of a peer that did not mind RSV2, and closed with a code that nobody may send. */
export function badLog(): LogEntry[] {
  return [
    ...goodLog().slice(0, 4),
    entry('tester', 'frame', { at: 3, octets: frame(0xa1, 'Hello, world!', { key: KEY }) }),
    entry('tester', 'frame', { at: 3.1, octets: frame(0x89, '', { key: KEY }) }),
    entry('peer', 'frame', { at: 3.4, octets: frame(0x81, 'Hello, world!') }),
    entry('peer', 'frame', { at: 3.5, octets: frame(0x8a) }),
    entry('tester', 'note', { at: 1003.6, text: 'The tester gave up after 1000 ms.' }),
    entry('tester', 'frame', { at: 1004, octets: frame(0x88, Buffer.from([3, 233]), { key: KEY }) }),
    entry('peer', 'frame', {
      at: 1004.5,
      octets: frame(0x88, Buffer.from([3, 237, ...Buffer.from('<b>bye</b> \u202e')])),
    }),
    entry('peer', 'end', { at: 1005.1, text: 'TCP was ended.' }),
  ]
}

/** A case for each verdict, and for what a report must not fall over. */
export function mixedReport(): Report {
  const hello = Buffer.from('Hello, world!')
  const large = frame(0x82, Buffer.alloc(70_000, 0xfe))
  return report([
    result('1.1.1'),
    result('1.1.2'),
    result('1.2.7', {
      verdict: 'FAILED',
      behavior: 'FAILED',
      title: 'A binary message of 65536 octets: it comes back',
      explanation:
        'Nothing came back within 10 s; the peer masked its frame and used more octets for the length than it has to.',
      log: [
        ...goodLog().slice(0, 2),
        entry('tester', 'frame', { at: 1.6, octets: large.subarray(0, 256), length: large.length }),
        entry('peer', 'frame', { at: 2.1, octets: frame(0x82, Buffer.alloc(40, 0xfe), { key: KEY, lengthBits: 16 }) }),
        entry('peer', 'octets', { at: 2.5, octets: Buffer.from('what is <this>?'), length: 4000 }),
        entry('peer', 'end', { at: 10_002.5, text: 'TCP was dropped.' }),
      ],
    }),
    result('2.1'),
    result('2.2'),
    result('3.2', {
      verdict: 'FAILED',
      behavior: 'FAILED',
      close: 'WRONG SIDE',
      title: 'A text, a text with RSV2, a Ping: the first text alone comes back',
      explanation: 'The peer echoed the text with RSV2 and answered the Ping; it has to fail the connection.',
      sentCode: 1001,
      receivedCode: 1005,
      receivedReason: '<b>bye</b> \u202e',
      expected: [{ type: 'text', payload: hello }],
      received: [
        { type: 'text', payload: hello },
        { type: 'text', payload: hello },
        { type: 'pong', payload: Buffer.alloc(0) },
      ],
      log: badLog(),
    }),
    result('5.18', {
      verdict: 'FAILED',
      close: 'WRONG CODE',
      explanation: 'The peer closed with 1011, not with 1002.',
      receivedCode: 1011,
    }),
    ...['6.4.1', '6.4.2', '6.4.3', '6.4.4'].map((id) =>
      result(id, {
        verdict: 'NON-STRICT',
        behavior: 'NON-STRICT',
        rule: 'RFC 6455 8.1',
        explanation: 'The peer failed the connection only when the message was whole.',
      }),
    ),
    ...['7.13.1', '7.13.2'].map((id) =>
      result(id, {
        verdict: 'INFORMATIONAL',
        behavior: 'INFORMATIONAL',
        close: 'INFORMATIONAL',
        explanation: 'The peer closed with 1002.',
      }),
    ),
    ...['12.1.1', '12.1.2', '12.2.1', '13.7.18'].map((id) =>
      result(id, {
        verdict: 'UNIMPLEMENTED',
        behavior: 'UNIMPLEMENTED',
        rule: 'RFC 7692 7',
        explanation: 'The peer declined permessage-deflate.',
      }),
    ),
  ])
}
