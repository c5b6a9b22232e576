/**
 * 21 The opening handshake of a client: its request, the answers that it must refuse, and those that it must not refuse.
 *
 * Each case changes one thing about the usual answer. Where the connection opens, an echo shows that it works.
 */
import type { Case, Opening, Tester } from '../case.ts'
import { encodeFrame } from '../wire.ts'
import { frame, octets, wantEcho } from './build.ts'
import { asking } from './asking.ts'
import { NAMES, add, replace, valueOf, without } from './heads.ts'
import { HELLO, anyEnd, echo, orGone } from './steps.ts'

type Change = (usual: string) => string | Buffer

const ACCEPT = 'Sec-WebSocket-Accept'
function client(id: string, title: string, rule: string, more: Pick<Case, 'play' | 'opening' | 'close'>): Case {
  return { id, title, rule, peer: 'client', timeout: 5000, ...more }
}

/** The client has to drop TCP without a frame. */
function refused(id: string, what: string, rule: string, change: NonNullable<Opening['response']>): Case {
  const opening: Opening = { response: change, outcome: 'refuse' }
  return client(id, `An answer ${what}: the client drops TCP`, rule, { opening })
}

function status(id: string, line: string): Case {
  const rule = 'RFC 6455 4.1'
  const end = add('Content-Length: 0')
  return refused(id, `with "${line}"`, rule, (usual) => end(usual.replace('101 Switching Protocols', line)))
}

const refusedAnswers: readonly Case[] = [
  refused('21.2.1', 'without Sec-WebSocket-Accept', 'RFC 6455 4.1', without(ACCEPT)),
  refused(
    '21.2.2',
    'whose Sec-WebSocket-Accept belongs to another key',
    'RFC 6455 4.1',
    replace(ACCEPT, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='),
  ),
  refused('21.2.3', 'whose Sec-WebSocket-Accept is empty', 'RFC 6455 4.1', replace(ACCEPT, '')),
  refused('21.2.4', 'whose Sec-WebSocket-Accept is the key itself', 'RFC 6455 4.1', (usual, head) =>
    replace(ACCEPT, valueOf(head, NAMES.key))(usual),
  ),
  refused('21.2.5', 'whose Sec-WebSocket-Accept has other letters', 'RFC 6455 4.1', (usual) =>
    replace(ACCEPT, swapCase(valueOf(usual, ACCEPT)))(usual),
  ),
  refused(
    '21.2.6',
    'with a right and a wrong Sec-WebSocket-Accept',
    'RFC 6455 4.1, 11.3.3',
    add(`${ACCEPT}: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`),
  ),
  refused('21.2.7', 'without Upgrade', 'RFC 6455 4.1', without(NAMES.upgrade)),
  refused('21.2.8', 'whose Upgrade is h2c', 'RFC 6455 4.1', replace(NAMES.upgrade, 'h2c')),
  refused('21.2.9', 'whose Upgrade is websockets', 'RFC 6455 4.1', replace(NAMES.upgrade, 'websockets')),
  refused('21.2.10', 'without Connection', 'RFC 6455 4.1', without(NAMES.connection)),
  refused('21.2.11', 'whose Connection is keep-alive', 'RFC 6455 4.1', replace(NAMES.connection, 'keep-alive')),
  refused('21.2.12', 'whose Connection is Upgraded', 'RFC 6455 4.1', replace(NAMES.connection, 'Upgraded')),
  status('21.2.13', '200 OK'),
  status('21.2.14', '203 Non-Authoritative Information'),
  status('21.2.15', '400 Bad Request'),
  status('21.2.16', '404 Not Found'),
  status('21.2.17', '503 Service Unavailable'),
  refused('21.2.18', 'that is no HTTP', 'RFC 9112 4', (usual) => usual.replace('HTTP/1.1', 'ICY')),
  refused('21.2.19', 'with a status of two digits', 'RFC 9112 4', (usual) => usual.replace(' 101 ', ' 10 ')),
  refused(
    '21.2.20',
    'with a subprotocol that was not offered',
    'RFC 6455 4.1',
    add('Sec-WebSocket-Protocol: x-not-offered'),
  ),
  refused(
    '21.2.21',
    'with an extension that was not offered',
    'RFC 6455 4.1, 9.1',
    add('Sec-WebSocket-Extensions: x-not-offered'),
  ),
  refused(
    '21.2.22',
    'with extensions that break the grammar',
    'RFC 6455 9.1',
    add('Sec-WebSocket-Extensions: permessage-deflate;;'),
  ),
]

/** Every letter the other way round. */
function swapCase(text: string): string {
  return Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('')
}

/** Where the client has offered permessage-deflate the parameter is wrong, else the extension is. */
const BAD_PARAMETERS = [
  '; unknown_parameter',
  '; unknown_parameter=1',
  '; server_no_context_takeover=1',
  '; client_no_context_takeover=true',
  '; server_no_context_takeover; server_no_context_takeover',
  '; client_no_context_takeover; client_no_context_takeover',
  '; server_max_window_bits',
  '; server_max_window_bits=7',
  '; server_max_window_bits=16',
  '; server_max_window_bits=08',
  '; server_max_window_bits=1000',
  '; server_max_window_bits=0xA',
  '; server_max_window_bits=10; server_max_window_bits=10',
  '; client_max_window_bits',
  '; client_max_window_bits=7',
  '; client_max_window_bits=16',
  '; client_max_window_bits=010',
  '; client_max_window_bits=10; client_max_window_bits=10',
  ', permessage-deflate',
]

const parameters: readonly Case[] = BAD_PARAMETERS.map((bad, i) => {
  const answer = `permessage-deflate${bad}`
  return refused(`21.3.${i + 1}`, `of ${answer}`, 'RFC 7692 5, 7', add(`Sec-WebSocket-Extensions: ${answer}`))
})

/** The connection opens, and works. */
function opens(id: string, what: string, rule: string, change: Change, more: Opening = {}): Case {
  const title = `An answer ${what}: the connection opens, and a message comes back`
  return client(id, title, rule, { opening: { ...more, response: change }, play: echo })
}

function echoOrGone(tester: Tester): Promise<void> {
  return orGone(echo(tester))
}

/** Where the client refuses the answer that is fine, and no more is to be seen. */
function either(id: string, what: string, rule: string, change: Change): Case {
  const title = `An answer ${what}: the client drops TCP, or the connection opens and a message comes back`
  return client(id, title, rule, {
    opening: { response: change, outcome: 'either' },
    play: echoOrGone,
    close: anyEnd(),
  })
}

const tolerated: readonly Case[] = [
  opens('21.4.1', 'whose names are in small letters', 'RFC 6455 4.1', (usual) =>
    usual.replace('Upgrade:', 'upgrade:').replace(`${ACCEPT}:`, `${ACCEPT.toLowerCase()}:`),
  ),
  opens('21.4.2', 'whose Upgrade is WebSocket', 'RFC 6455 4.1', replace(NAMES.upgrade, 'WebSocket')),
  opens('21.4.3', 'whose Connection is upgrade', 'RFC 6455 4.1', replace(NAMES.connection, 'upgrade')),
  opens('21.4.4', 'whose Connection is a list', 'RFC 6455 4.1', replace(NAMES.connection, 'keep-alive, Upgrade')),
  opens('21.4.5', 'with blanks around Sec-WebSocket-Accept', 'RFC 6455 4.1', (usual) =>
    replace(ACCEPT, ` \t${valueOf(usual, ACCEPT)} \t`)(usual),
  ),
  opens('21.4.6', 'with fields that nobody knows', 'RFC 6455 4.1', add(`X-Unknown: ${'x'.repeat(4000)}\r\nX-Empty:`)),
  opens('21.4.7', 'with another reason phrase', 'RFC 9112 4', (usual) => usual.replace('Switching Protocols', 'Go on')),
  opens('21.4.8', 'with an empty reason phrase', 'RFC 9112 4', (usual) => usual.replace('Switching Protocols', '')),
  opens(
    '21.4.9',
    'behind one with 103',
    'RFC 9110 15.2',
    (usual) => `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${usual}`,
  ),
  opens('21.4.10', 'that comes octet by octet', 'RFC 6455 4.1', (usual) => usual, { chop: 1 }),
  client(
    '21.4.11',
    'An answer with a frame right behind it, in one write: the connection opens, and the message comes back',
    'RFC 6455 4.1',
    {
      opening: { response: (usual) => Buffer.concat([octets(usual), encodeFrame(frame.text(HELLO), 'server')]) },
      play: (tester) => wantEcho(tester, 'text', HELLO),
    },
  ),
  either('21.5.1', 'of HTTP/1.0', 'RFC 6455 4.2.2', (usual) => usual.replace('HTTP/1.1', 'HTTP/1.0')),
  either('21.5.2', 'whose lines end in LF', 'RFC 9112 2.2', (usual) => usual.replaceAll('\r\n', '\n')),
  either('21.5.3', 'with a value on two lines', 'RFC 9112 5.2', add('X-Unknown: one\r\n two')),
  either('21.5.4', 'with a blank before a colon', 'RFC 9112 5.1', (usual) => usual.replace('Upgrade:', 'Upgrade :')),
  either('21.5.5', 'with a NUL in a value', 'RFC 9110 5.5', add('X-Unknown: one\0two')),
  either(
    '21.5.6',
    'with a thousand fields',
    'RFC 6455 10.4',
    add(Array.from({ length: 1000 }, (_, i) => `X-${i}: ${i}`).join('\r\n')),
  ),
  either('21.5.7', 'with a field of 1 MiB', 'RFC 6455 10.4', add(`X-Unknown: ${'x'.repeat(1_048_576)}`)),
]

export const answers: readonly Case[] = [...asking, ...refusedAnswers, ...parameters, ...tolerated]
