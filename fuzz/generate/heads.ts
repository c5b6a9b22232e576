/**
 * Heads of HTTP messages as Latin-1: opening handshakes and their answers, with fields that come twice, are missing, say
 * something else or something odd; and, in some 30 %, octets that no head may have. What lists and parameters may look like
 * is made here, too.
 */
import type { Random } from '../support/random.ts'

/** Of RFC 6455 1.3; the answer to it is `ACCEPT`. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

const OBJECT_NAMES = ['__proto__', 'constructor', 'hasOwnProperty', 'toString']
const TOKENS = ['a', 'x', 'chat', 'superchat', 'permessage-deflate', "!#$%&'*+-.^_`|~", '1', ...OBJECT_NAMES]
const METHODS = ['GET', 'POST', 'HEAD', 'OPTIONS', 'get', 'GETT', 'CONNECT', 'M-SEARCH', 'UPDATEREDIRECTREFX']
const TARGETS = [
  '/',
  '/chat',
  '/a?b=c&d',
  '/%20',
  '*',
  'http://a/b',
  'https://a:443/',
  'a:443',
  '//x',
  '/#f',
  'ws://a/',
  '/a\\b',
  'http:///',
]
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.2',
  'http/1.1',
  'HTTP/1.',
  'HTTP/1.10',
  'HTTP/0.9',
  'HTTP/11',
  'HTTP/1.1 ',
]
const HOSTS = [
  'server.example.com',
  'a',
  'a:8080',
  '[::1]',
  '[::1]:80',
  '',
  'a b',
  'a:b',
  'a,b',
  'a@b',
  'a/b',
  '1.2.3.4:65536',
  'xn--a',
]

/** Octets that break heads, or that careless readers repair. */
const DISRUPTIONS: readonly string[] = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\n\n',
    '\r\n\r\n',
    '\r\r\n',
    '\0',
    ' ',
    '\t',
    '  ',
    ':',
    ' :',
    '\x7f',
    '\x80',
    '\xa0',
    '\x85',
    '\xff',
  ],
  ...['\r\n ', '\r\n\t', '\x0b', '\x0c', '\x1b[31m', ',', ';', '"', '\\', '=', '="', '/', '%00', '\u00e9'],
  ...['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Host: b\r\n', 'X : y\r\n', ': y\r\n', 'X\r\n'],
]

export const HEAD_DICTIONARY: readonly Buffer[] = [
  ...DISRUPTIONS,
  ...['Sec-WebSocket-Key: ', 'Sec-WebSocket-Version: 13\r\n', 'Upgrade: websocket\r\n', 'Connection: Upgrade\r\n'],
  ...[
    'Sec-WebSocket-Extensions: ',
    'Sec-WebSocket-Protocol: ',
    'HTTP/1.1 ',
    'GET ',
    ' HTTP/1.1\r\n',
    '101',
    KEY,
    ACCEPT,
  ],
].map((text) => Buffer.from(text, 'latin1'))

type Field = [name: string, value: string]

function recased(random: Random, text: string): string {
  return random.chance(0.8) ? text : random.chance(0.5) ? text.toLowerCase() : text.toUpperCase()
}

/** White space that may stand there, and that readers have to pass over. */
function space(random: Random): string {
  return random.chance(0.7) ? '' : random.pick([' ', '\t', '  ', ' \t '])
}

function list(random: Random, element: () => string): string {
  const elements = Array.from({ length: random.between(0, 4) }, () => (random.chance(0.05) ? '' : element()))
  return elements.join(`${space(random)},${random.chance(0.7) ? ' ' : space(random)}`)
}

function parameter(random: Random): string {
  const names = [
    'server_no_context_takeover',
    'client_no_context_takeover',
    'server_max_window_bits',
    'client_max_window_bits',
  ]
  const name = random.pick(random.chance(0.9) ? names : TOKENS)
  const values = [
    '8',
    '9',
    '12',
    '15',
    '7',
    '16',
    '08',
    '+9',
    '1e1',
    '0xA',
    '9.0',
    '10 ',
    '"10"',
    '"1\\0"',
    '""',
    '"',
    'a',
    '1000',
  ]
  const value = random.chance(0.5)
    ? ''
    : `${space(random)}=${space(random)}${random.pick(random.chance(0.6) ? values.slice(0, 4) : values)}`
  return name.endsWith('takeover') && random.chance(0.8) ? name : `${name}${value}`
}

/** A value of Sec-WebSocket-Extensions. */
export function extensionList(random: Random): string {
  const text = list(random, () => {
    const name = random.chance(0.8) ? 'permessage-deflate' : random.pick(TOKENS)
    const parameters = Array.from(
      { length: random.int(5) },
      () => `${space(random)};${space(random)}${parameter(random)}`,
    )
    return `${name}${parameters.join('')}`
  })
  return random.chance(0.8) ? text : disrupted(random, text)
}

function protocolList(random: Random): string {
  return list(random, () => random.pick(TOKENS))
}

/** `text` with something put in, or instead of something. */
function disrupted(random: Random, text: string): string {
  const at = random.int(text.length + 1)
  return text.slice(0, at) + random.pick(DISRUPTIONS) + text.slice(at + random.int(2))
}

function write(random: Random, startLine: string, fields: readonly Field[]): string {
  let text = `${startLine}\r\n`
  for (const [name, value] of fields) {
    text += `${recased(random, name)}:${random.chance(0.9) ? ' ' : space(random)}${value}${space(random)}\r\n`
  }
  return `${text}\r\n`
}

/** Fields with some of them missing, some twice, some in another place. */
function shuffled(random: Random, fields: readonly Field[]): Field[] {
  const shuffle = [...fields]
  if (random.chance(0.15)) shuffle.splice(random.int(shuffle.length), 1)
  if (random.chance(0.1)) shuffle.splice(random.int(shuffle.length), 0, random.pick(fields))
  if (random.chance(0.3)) shuffle.sort(() => random.int(3) - 1)
  return shuffle
}

function otherFields(random: Random): Field[] {
  const odd: Field[] = [
    ['Content-Length', random.pick(['0', '00', '5', '+0', '-0', '0, 0', '1 2', '', '0x0'])],
    ['Transfer-Encoding', random.pick(['chunked', 'identity', '', 'chunked, chunked', ' chunked'])],
    ['Expect', '100-continue'],
    [
      'Origin',
      random.pick(['http://server.example.com', 'null', 'http://evil.example', '', 'https://server.example.com:443']),
    ],
    [random.pick(TOKENS), random.pick(['', 'y', '\xe9\xff', 'a\tb', '"q"'])],
    ['Cookie', `a=${'b'.repeat(random.small(9000))}`],
    ['Location', random.pick(['/', 'ws://b/', '\x80'])],
  ]
  const count = random.chance(0.6) ? 0 : random.chance(0.98) ? random.between(1, 4) : random.between(95, 120)
  return Array.from({ length: count }, () => random.pick(odd))
}

/** The head of a request, and now and then something behind it. */
export function requestHead(random: Random): Buffer {
  const usual = (most: number, value: string, others: readonly string[]): string =>
    random.chance(most) ? value : random.pick(others)
  const fields = shuffled(random, [
    ['Host', usual(0.9, 'server.example.com', HOSTS)],
    [
      'Upgrade',
      usual(0.9, 'websocket', ['WebSocket', 'h2c, websocket', 'websocket/13', 'h2c', '', 'websocket websocket']),
    ],
    ['Connection', usual(0.9, 'Upgrade', ['keep-alive, Upgrade', 'upgrade', 'close', '', 'Upgrade;q', ',Upgrade,'])],
    ['Sec-WebSocket-Key', usual(0.95, KEY, ['', 'AAAA', `${KEY}=`, 'dGhlIHNhbXBsZSBub25jZQ=', '!'.repeat(24)])],
    ['Sec-WebSocket-Version', usual(0.95, '13', ['8', '7', '0', '13abc', '8, 13', '13, 8', '+13', '013', '', '13.0'])],
    ...(random.chance(0.4) ? [['Sec-WebSocket-Extensions', extensionList(random)] as Field] : []),
    ...(random.chance(0.4) ? [['Sec-WebSocket-Protocol', protocolList(random)] as Field] : []),
    ...otherFields(random),
  ])
  const method = usual(0.95, 'GET', METHODS)
  const target = usual(0.9, '/chat', [...TARGETS, `/${'a'.repeat(random.small(9000))}`])
  const startLine = `${random.chance(0.02) ? '\r\n' : ''}${method} ${target} ${usual(0.95, 'HTTP/1.1', VERSIONS)}`
  return finish(random, write(random, startLine, fields))
}

/** The head of a response, with interim ones before it and something behind it now and then. */
export function responseHead(random: Random): Buffer {
  const usual = (most: number, value: string, others: readonly string[]): string =>
    random.chance(most) ? value : random.pick(others)
  const fields = shuffled(random, [
    ['Upgrade', usual(0.95, 'websocket', ['WebSocket', 'h2c, websocket', ''])],
    ['Connection', usual(0.95, 'Upgrade', ['keep-alive, Upgrade', 'close', ''])],
    ['Sec-WebSocket-Accept', usual(0.95, ACCEPT, ['', KEY, ACCEPT.toLowerCase(), ` ${ACCEPT} `, `${ACCEPT}=`])],
    ...(random.chance(0.4) ? [['Sec-WebSocket-Extensions', extensionList(random)] as Field] : []),
    ...(random.chance(0.3)
      ? [['Sec-WebSocket-Protocol', random.pick(['chat', 'superchat', 'x', '', 'chat, superchat', '\xe9'])] as Field]
      : []),
    ...otherFields(random),
  ])
  const status = usual(0.9, '101', [
    '200',
    '302',
    '400',
    '426',
    '100',
    '103',
    '199',
    '099',
    '1000',
    '10',
    '1O1',
    '204',
    '600',
    '999',
  ])
  const version = usual(0.95, 'HTTP/1.1', VERSIONS)
  const reason = usual(0.9, ' Switching Protocols', ['', ' ', ' \xe9\t', '  x', '\t'])
  let interim = ''
  if (random.chance(0.1)) for (let left = random.between(1, 10); left > 0; left--) interim += 'HTTP/1.1 100 \r\n\r\n'
  return finish(random, `${interim}${write(random, `${version} ${status}${reason}`, fields)}`)
}

const BODIES = [
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '\x81\x05Hello',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'ffffffffff\r\n',
  '0\r\n',
]

function finish(random: Random, text: string): Buffer {
  const head = random.chance(0.7) ? text : disrupted(random, text)
  const ending = random.chance(0.05) ? head.slice(0, -random.between(1, 3)) : head
  return Buffer.from(random.chance(0.3) ? ending + random.pick(BODIES) : ending, 'latin1')
}
