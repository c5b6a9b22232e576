/**
 * The opening handshakes of `BreakablePeer`, and the programs that the conformance kit judges: an echo server, and a client
 * that is driven through the cases. As the peer itself, they are correct but for one defect of a list.
 */
import { createHash, randomBytes } from 'node:crypto'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { BreakablePeer } from './breakable-peer.ts'
import type { Defect as OpenDefect } from './breakable-peer.ts'

/** What can be wrong with it: in the opening handshake, and afterwards. */
export type Defect =
  | OpenDefect
  // As a server (RFC 6455 4.2)
  | 'request not checked'
  | 'key not checked'
  | 'version not checked'
  | 'wrong accept value'
  | 'agrees to any extension'
  | 'chooses a subprotocol unasked'
  // As a client (4.1)
  | 'status not checked'
  | 'accept value not checked'
  | 'upgrade fields not checked'
  | 'strange extension not noticed'
  | 'strange subprotocol not noticed'
  // RFC 7692 7.1
  | 'deflate parameters not checked'

export interface BreakableOptions {
  readonly defect?: Defect | undefined
  /** Offers permessage-deflate, or agrees to it. */
  readonly deflate?: boolean
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const EXTENSION = 'permessage-deflate'
const MAX_HEAD = 65_536

const TOKEN = String.raw`[!#$%&'*+.^_\`|~\w-]+`
const TOKENS = new RegExp(`^${TOKEN}(?:\\s*,\\s*${TOKEN})*$`)
const ONE = String.raw`${TOKEN}(?:\s*;\s*${TOKEN}(?:=(?:${TOKEN}|"${TOKEN}"))?)*`
const EXTENSIONS = new RegExp(`^${ONE}(?:\\s*,\\s*${ONE})*$`)

/** A head: its first line, and its fields by their names in lower case, those of the same name joined. */
interface Head {
  readonly line: string
  readonly fields: ReadonlyMap<string, string>
  readonly rest: Buffer
}

type Parameters = ReadonlyMap<string, string>

/** Listens at a free port of 127.0.0.1 and echoes. */
export async function breakableServer(
  options: BreakableOptions = {},
): Promise<{ readonly url: string; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    void accept(socket, options)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function accept(socket: Socket, { defect, deflate = false }: BreakableOptions): Promise<void> {
  const head = await readHead(socket)
  if (head === undefined) return void socket.end()
  const refusal = defect === 'request not checked' ? undefined : refusalOf(head, defect)
  if (refusal !== undefined) {
    const extra = refusal.startsWith('426') ? 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' : ''
    return void socket.end(`HTTP/1.1 ${refusal}\r\n${extra}Connection: close\r\nContent-Length: 0\r\n\r\n`)
  }
  const key = field(head, 'sec-websocket-key')
  const agreed = deflate ? agree(field(head, 'sec-websocket-extensions'), defect) : undefined
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(defect === 'wrong accept value' ? `${key}=` : key)}`,
  ]
  if (agreed !== undefined) lines.push(`Sec-WebSocket-Extensions: ${agreed}`)
  if (defect === 'agrees to any extension' && head.fields.has('sec-websocket-extensions')) {
    lines.push(`Sec-WebSocket-Extensions: ${field(head, 'sec-websocket-extensions')}`)
  }
  if (defect === 'chooses a subprotocol unasked') lines.push('Sec-WebSocket-Protocol: chat')
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  new BreakablePeer(socket, { role: 'server', defect, deflate: agreed !== undefined }).receive(head.rest)
}

/** RFC 6455 4.2.1: the status line's rest to refuse a request with. */
function refusalOf(head: Head, defect: Defect | undefined): string | undefined {
  const bad = '400 Bad Request'
  if (!/^GET (?:\/|http:\/\/)\S* HTTP\/1\.1$/.test(head.line)) return bad
  if (!head.fields.has('host') || field(head, 'host').includes(',')) return bad
  if (head.fields.has('content-length') || head.fields.has('transfer-encoding')) return bad
  if (head.fields.has('sec-websocket-protocol') && !TOKENS.test(field(head, 'sec-websocket-protocol'))) return bad
  const extensions = head.fields.get('sec-websocket-extensions')
  if (extensions !== undefined && !EXTENSIONS.test(extensions)) return bad
  if (!hasToken(field(head, 'upgrade'), 'websocket')) return '426 Upgrade Required'
  if (!hasToken(field(head, 'connection'), 'upgrade')) return bad
  if (defect !== 'version not checked' && field(head, 'sec-websocket-version') !== '13') return '426 Upgrade Required'
  if (defect !== 'key not checked' && !isKey(field(head, 'sec-websocket-key'))) return bad
  return undefined
}

/** Takes a client through the kit at `url`; settles when it has asked for the report. */
export async function breakableClient(url: string, options: BreakableOptions = {}, atOnce = 1): Promise<void> {
  let count = 0
  // The bookkeeping is done as it should be, so that the defect shows in the cases alone.
  await visit(`${url}/getCaseCount`, {}, (message) => (count = Number(message.toString())))
  let next = 1
  const work = async () => {
    while (next <= count) await visit(`${url}/runCase?case=${next++}&agent=breakable`, options)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await visit(`${url}/updateReports?agent=breakable`, {}, () => {})
}

async function visit(url: string, options: BreakableOptions, onMessage?: (message: Buffer) => void): Promise<void> {
  const { hostname, port, pathname, search } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
  })
  const key = randomBytes(16).toString('base64')
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
  ]
  if (options.deflate) lines.push(`Sec-WebSocket-Extensions: ${EXTENSION}; client_max_window_bits`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  let head = await readHead(socket)
  // RFC 9110 15.2: there may be interim answers.
  while (head !== undefined && /^HTTP\/1\.1 1(?!01)\d\d /.test(head.line)) head = await readHead(socket, head.rest)
  if (head === undefined || !mayOpen(head, key, options)) {
    socket.destroy()
  } else {
    const deflate = options.deflate === true && head.fields.has('sec-websocket-extensions')
    const manners = { role: 'client', defect: options.defect, deflate } as const
    new BreakablePeer(socket, onMessage ? { ...manners, onMessage } : manners).receive(head.rest)
  }
  await closed
}

/** RFC 6455 4.1 */
function mayOpen(head: Head, key: string, { defect, deflate = false }: BreakableOptions): boolean {
  if (!head.line.startsWith('HTTP/1.1 101 ') && defect !== 'status not checked') return false
  if (defect !== 'upgrade fields not checked') {
    if (field(head, 'upgrade').toLowerCase() !== 'websocket') return false
    if (!hasToken(field(head, 'connection'), 'upgrade')) return false
  }
  if (field(head, 'sec-websocket-accept') !== acceptOf(key) && defect !== 'accept value not checked') return false
  if (head.fields.has('sec-websocket-protocol') && defect !== 'strange subprotocol not noticed') return false
  const extensions = head.fields.get('sec-websocket-extensions')
  if (extensions === undefined || defect === 'strange extension not noticed') return true
  if (!deflate) return false
  const parameters = parametersOf(extensions)
  return parameters !== undefined && (defect === 'deflate parameters not checked' || isAnswer(parameters))
}

/** It never compresses, so it can promise whatever it is asked to. */
function agree(offers: string, defect: Defect | undefined): string | undefined {
  for (const offer of offers.split(',')) {
    const parameters = parametersOf(offer)
    if (parameters === undefined) continue
    if (defect !== 'deflate parameters not checked' && !isOffer(parameters)) continue
    const promises = [...parameters].filter(([name]) => name.startsWith('server_'))
    return [EXTENSION, ...promises.map(([name, value]) => (value === '' ? name : `${name}=${value}`))].join('; ')
  }
  return undefined
}

/** The parameters of one permessage-deflate; none where it is another extension, or has a parameter twice. */
function parametersOf(extension: string): Parameters | undefined {
  const [name, ...rest] = extension.split(';').map((part) => part.trim())
  if (name !== EXTENSION) return undefined
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const [, parameter, value = ''] = /^(\S+?)(?:="?([^"]+)"?)?$/.exec(part) ?? ['', '']
    if (parameters.has(parameter)) return undefined
    parameters.set(parameter, value)
  }
  return parameters
}

/** RFC 7692 7.1 */
function isOffer(parameters: Parameters): boolean {
  return [...parameters].every(([name, value]) => {
    if (name === 'server_no_context_takeover' || name === 'client_no_context_takeover') return value === ''
    return (name === 'client_max_window_bits' && value === '') || (isBitsName(name) && isBits(value))
  })
}

/** It has offered `client_max_window_bits` without a value, and nothing else. */
function isAnswer(parameters: Parameters): boolean {
  return [...parameters].every(([name, value]) => {
    if (name === 'server_no_context_takeover' || name === 'client_no_context_takeover') return value === ''
    return isBitsName(name) && isBits(value)
  })
}

function isBitsName(name: string): boolean {
  return name === 'server_max_window_bits' || name === 'client_max_window_bits'
}

function isBits(value: string): boolean {
  return /^(?:[89]|1[0-5])$/.test(value)
}

/** Reads up to the end of a head; nothing where TCP ends before, and where lines end otherwise than by CRLF. */
function readHead(socket: Socket, rest: Buffer = Buffer.alloc(0)): Promise<Head | undefined> {
  return new Promise((resolve) => {
    let octets: Buffer = Buffer.alloc(0)
    const settle = (head: Head | undefined): void => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).pause()
      resolve(head)
      // Whoever goes on with it listens by then.
      setImmediate(() => socket.resume())
    }
    const onEnd = (): void => settle(undefined)
    const onData = (chunk: Buffer): void => {
      octets = Buffer.concat([octets, chunk])
      const end = octets.indexOf('\r\n\r\n')
      if (end !== -1) settle(parseHead(octets.toString('latin1', 0, end), octets.subarray(end + 4)))
      else if (octets.includes('\n\n') || octets.length > MAX_HEAD) settle(undefined)
    }
    socket
      .on('error', () => {})
      .on('data', onData)
      .on('end', onEnd)
      .on('close', onEnd)
    if (rest.length > 0) onData(rest)
  })
}

function parseHead(text: string, rest: Buffer): Head | undefined {
  const [line, ...others] = text.split('\r\n')
  const fields = new Map<string, string>()
  for (const other of others) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(other) ?? []
    if (name === undefined) return undefined
    const before = fields.get(name.toLowerCase())
    fields.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`)
  }
  return { line, fields, rest }
}

function field({ fields }: Head, name: string): string {
  return fields.get(name) ?? ''
}

function hasToken(value: string, token: string): boolean {
  return value.split(',').some((item) => item.trim().toLowerCase() === token)
}

function isKey(key: string): boolean {
  const octets = Buffer.from(key, 'base64')
  return octets.length === 16 && octets.toString('base64') === key
}

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64')
}
