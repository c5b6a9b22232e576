/**
 * 20 The opening handshake of a server: what it must refuse, what it must not refuse, and what it may answer.
 *
 * Each case changes one thing about the usual request. Where the connection opens, an echo shows that it works.
 */
import type { Case, Opening } from '../case.ts'
import { hasToken } from '../head.ts'
import { encodeFrame } from '../wire.ts'
import { frame, octets, wantEcho } from './build.ts'
import { NAMES, add, replace, valueOf, without } from './heads.ts'
import { offers } from './offers.ts'
import { HELLO, echo } from './steps.ts'

type Change = (usual: string) => string | Buffer

function request(
  id: string,
  title: string,
  rule: string,
  opening: Opening,
  play: NonNullable<Case['play']> = echo,
): Case {
  return { id, title, rule, peer: 'server', timeout: 5000, opening, play }
}

/** The server answers something else than 101, or drops TCP. */
function refused(id: string, what: string, rule: string, change: Change): Case {
  return request(id, `A request ${what}: refused`, rule, { request: change, outcome: 'refuse' })
}

/** The connection opens, and works. */
function opens(id: string, what: string, rule: string, change: Change, more: Opening = {}): Case {
  return request(id, `A request ${what}: the connection opens, and a message comes back`, rule, {
    ...more,
    request: change,
  })
}

/** RFC 9112 leaves the choice to the server, as long as it takes the request for what it is. */
function either(id: string, what: string, rule: string, change: Change): Case {
  const title = `A request ${what}: refused, or the connection opens and a message comes back`
  return request(id, title, rule, { request: change, outcome: 'either' })
}

/** RFC 6455 4.4: the answer names the versions that would do. */
function namesVersion(head: string): string | undefined {
  return hasToken(valueOf(head, NAMES.version), '13') ? undefined : 'its Sec-WebSocket-Version field does not have 13'
}

function version(id: string, value: string): Case {
  return request(
    id,
    `A request for version ${value}: refused by an answer that names version 13`,
    'RFC 6455 4.2.2, 4.4',
    {
      request: replace(NAMES.version, value),
      outcome: 'refuse',
      refusal: namesVersion,
    },
  )
}

const required: readonly Case[] = [
  refused('20.1.1', 'without Host', 'RFC 6455 4.2.1', without(NAMES.host)),
  refused('20.1.2', 'without Upgrade', 'RFC 6455 4.2.1', without(NAMES.upgrade)),
  refused('20.1.3', 'without Connection', 'RFC 6455 4.2.1', without(NAMES.connection)),
  refused('20.1.4', 'without Sec-WebSocket-Key', 'RFC 6455 4.2.1', without(NAMES.key)),
  refused('20.1.5', 'without Sec-WebSocket-Version', 'RFC 6455 4.2.1', without(NAMES.version)),
  refused('20.1.6', 'to upgrade to something else', 'RFC 6455 4.2.1', replace(NAMES.upgrade, 'h2c')),
  refused('20.1.7', 'whose Connection is keep-alive', 'RFC 6455 4.2.1', replace(NAMES.connection, 'keep-alive')),
  refused('20.1.8', 'whose Connection is Upgraded', 'RFC 6455 4.2.1', replace(NAMES.connection, 'Upgraded')),
  refused('20.1.9', 'with POST', 'RFC 6455 4.2.1', (usual) => usual.replace('GET ', 'POST ')),
  refused('20.1.10', 'with HEAD', 'RFC 6455 4.2.1', (usual) => usual.replace('GET ', 'HEAD ')),
  refused('20.1.11', 'with get in small letters', 'RFC 9110 9.1', (usual) => usual.replace('GET ', 'get ')),
  refused('20.1.12', 'of HTTP/1.0', 'RFC 6455 4.2.1', (usual) => usual.replace('HTTP/1.1', 'HTTP/1.0')),
  refused('20.1.13', 'with Host twice', 'RFC 9112 3.2', add('Host: somewhere.example')),
  refused('20.1.14', 'whose first line is none', 'RFC 9112 3', (usual) => usual.replace('GET ', 'GET')),
]

const keys: readonly Case[] = [
  refused(
    '20.2.1',
    'with a key of 15 octets',
    'RFC 6455 4.2.1',
    replace(NAMES.key, Buffer.alloc(15, 1).toString('base64')),
  ),
  refused(
    '20.2.2',
    'with a key of 17 octets',
    'RFC 6455 4.2.1',
    replace(NAMES.key, Buffer.alloc(17, 1).toString('base64')),
  ),
  refused('20.2.3', 'with an empty key', 'RFC 6455 4.2.1', replace(NAMES.key, '')),
  refused('20.2.4', 'with a key that is not base64', 'RFC 6455 4.2.1', replace(NAMES.key, '!!!!!!!!!!!!!!!!!!!!!!==')),
  refused('20.2.5', 'with a key without its padding', 'RFC 6455 4.2.1', replace(NAMES.key, 'AQEBAQEBAQEBAQEBAQEBAQ')),
  refused('20.2.6', 'with two keys', 'RFC 6455 11.3.1', add('Sec-WebSocket-Key: AQEBAQEBAQEBAQEBAQEBAQ==')),
]

const versions: readonly Case[] = [
  version('20.3.1', '0'),
  version('20.3.2', '12'),
  version('20.3.3', '14'),
  version('20.3.4', '255'),
  refused('20.3.5', 'for version 013', 'RFC 6455 4.3', replace(NAMES.version, '013')),
  refused('20.3.6', 'for version 13abc', 'RFC 6455 4.3', replace(NAMES.version, '13abc')),
  refused('20.3.7', 'for an empty version', 'RFC 6455 4.3', replace(NAMES.version, '')),
]

function reversed(usual: string): string {
  const [line, ...fields] = usual.slice(0, -4).split('\r\n')
  return [line, ...fields.toReversed(), '', ''].join('\r\n')
}

/** RFC 9112 3.2.2: the target with its host. */
function absolute(usual: string): string {
  return usual.replace('GET /', `GET http://${valueOf(usual, NAMES.host)}/`)
}

function withFrame(more: string): Change {
  const hello = encodeFrame(frame.text(HELLO), 'client')
  return (usual) => Buffer.concat([octets(usual), octets(more), hello])
}

const tolerated: readonly Case[] = [
  opens('20.4.1', 'as usual', 'RFC 6455 4.2.2', (usual) => usual),
  opens(
    '20.4.2',
    'whose names are in small letters',
    'RFC 6455 4.2.1',
    renamed((name) => name.toLowerCase()),
  ),
  opens(
    '20.4.3',
    'whose names are in capitals',
    'RFC 6455 4.2.1',
    renamed((name) => name.toUpperCase()),
  ),
  opens('20.4.4', 'whose Upgrade is WebSocket', 'RFC 6455 4.2.1', replace(NAMES.upgrade, 'WebSocket')),
  opens('20.4.5', 'whose Connection is upgrade', 'RFC 6455 4.2.1', replace(NAMES.connection, 'upgrade')),
  opens('20.4.6', 'whose Connection is a list', 'RFC 6455 4.2.1', replace(NAMES.connection, 'keep-alive, Upgrade')),
  opens('20.4.7', 'whose Connection has empty elements', 'RFC 9110 5.6.1', replace(NAMES.connection, ' , Upgrade,')),
  opens('20.4.8', 'with two Connection fields', 'RFC 9110 5.3', add('Connection: keep-alive')),
  opens('20.4.9', 'whose fields are in another order', 'RFC 6455 4.2.1', reversed),
  opens(
    '20.4.10',
    'with fields that nobody knows',
    'RFC 6455 4.2.1',
    add(`X-Unknown: ${'x'.repeat(4000)}\r\nX-Empty:`),
  ),
  opens('20.4.11', 'with blanks around its values', 'RFC 9112 5.1', replace(NAMES.upgrade, ' \t websocket \t ')),
  opens('20.4.12', 'without blanks before its values', 'RFC 9112 5.1', (usual) => usual.replaceAll(': ', ':')),
  opens('20.4.13', 'with an absolute target', 'RFC 9112 3.2.2', absolute),
  opens('20.4.14', 'that comes octet by octet', 'RFC 6455 4.2.1', (usual) => usual, { chop: 1 }),
  request(
    '20.4.15',
    'A request with a frame right behind it, in one write: the connection opens, and the message comes back',
    'RFC 6455 4.2.2',
    { request: withFrame('') },
    (tester) => wantEcho(tester, 'text', HELLO),
  ),
]

/** The head with every name of the usual request written in another way. */
function renamed(write: (name: string) => string): Change {
  return (usual) => {
    let head = usual
    for (const name of Object.values(NAMES)) head = head.replace(`${name}:`, `${write(name)}:`)
    return head
  }
}

const subprotocols: readonly Case[] = [
  opens('20.5.1', 'that offers a subprotocol', 'RFC 6455 4.2.2', add('Sec-WebSocket-Protocol: chat')),
  opens(
    '20.5.2',
    'that offers three subprotocols',
    'RFC 6455 4.2.2',
    add('Sec-WebSocket-Protocol: soap, chat, v2.chat'),
  ),
  opens(
    '20.5.3',
    'that offers subprotocols in two fields',
    'RFC 6455 11.3.4',
    add('Sec-WebSocket-Protocol: soap\r\nSec-WebSocket-Protocol: chat'),
  ),
  refused(
    '20.5.4',
    'that offers a subprotocol that is no token',
    'RFC 6455 4.1, 4.2.1',
    add('Sec-WebSocket-Protocol: ch@t'),
  ),
]

const syntax: readonly Case[] = [
  refused('20.9.1', 'with a blank before a colon', 'RFC 9112 5.1', (usual) => usual.replace('Upgrade:', 'Upgrade :')),
  refused('20.9.2', 'with a line that has no colon', 'RFC 6455 4.2.1', add('X-Unknown')),
  refused('20.9.3', 'with a field that has no name', 'RFC 6455 4.2.1', add(': value')),
  refused('20.9.4', 'with a name that is no token', 'RFC 6455 4.2.1', add('X(Unknown): value')),
  either('20.9.5', 'with a value on two lines', 'RFC 9112 5.2', add('X-Unknown: one\r\n two')),
  either('20.9.6', 'whose lines end in LF', 'RFC 9112 2.2', (usual) => usual.replaceAll('\r\n', '\n')),
  either('20.9.7', 'with a CR in a value', 'RFC 9112 2.2', add('X-Unknown: one\rtwo')),
  either('20.9.8', 'with a NUL in a value', 'RFC 9110 5.5', add('X-Unknown: one\0two')),
  either('20.9.9', 'with an octet above 127 in a value', 'RFC 9110 5.5', add('X-Unknown: caf\u00e9')),
  either('20.9.10', 'behind an empty line', 'RFC 9112 2.2', (usual) => `\r\n${usual}`),
]

function withBody(id: string, what: string, field: string, body: string): Case {
  return request(
    id,
    `A request with a body, ${what}, and a frame behind that: refused, or the frame comes back and the body does not`,
    'RFC 9110 7.8',
    { request: (usual) => withFrame(body)(add(field)(usual)), outcome: 'either' },
    (tester) => wantEcho(tester, 'text', HELLO),
  )
}

const bodies: readonly Case[] = [
  withBody('20.10.1', 'five octets', 'Content-Length: 5', 'hello'),
  withBody('20.10.2', 'which is empty', 'Content-Length: 0', ''),
  withBody('20.10.3', 'in chunks', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'),
]

export const requests: readonly Case[] = [
  ...required,
  ...keys,
  ...versions,
  ...tolerated,
  ...subprotocols,
  ...offers,
  ...syntax,
  ...bodies,
]
