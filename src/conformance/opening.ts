/**
 * The opening handshake of a case on a fresh TCP connection, for both roles of the tester (RFC 6455 4).
 *
 * It is either open afterwards, or refused as the case wants it, or there is a problem, told in a sentence.
 */
import type { Socket } from 'node:net'
import { quote } from '../errors.ts'
import type { Case, Opening } from './case.ts'
import {
  MAX_HEAD,
  acceptOf,
  createKey,
  extensionName,
  fieldOf,
  hasToken,
  headEnd,
  listOf,
  readHead,
  statusOf,
  writeHead,
} from './head.ts'
import type { Fields, Head } from './head.ts'
import type { WireLog } from './log.ts'

/** Milliseconds that the peer has for the opening handshake. */
const OPENING_TIME = 5000
/** Milliseconds in which a client has to drop a connection that it cannot use. */
const REFUSE_TIME = 1000

/** How it went. */
export type Opened =
  | { readonly outcome: 'open'; readonly peerHead: string; readonly extensions: string; readonly rest: Buffer }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'problem'; readonly why: string }

/** What the tester says as a client. */
export interface Target {
  readonly host: string
  readonly path: string
  readonly fields: Fields
}

/** A head and what came behind it, or why there is none. */
export type HeadRead =
  | { readonly head: string; readonly rest: Buffer }
  | { readonly why: string; readonly silent: boolean }

/** Reads up to the end of a head; the socket is paused afterwards. */
export function awaitHead(socket: Socket, milliseconds: number): Promise<HeadRead> {
  return new Promise((resolve) => {
    let octets: Buffer = Buffer.alloc(0)
    const settle = (read: HeadRead): void => {
      clearTimeout(timer)
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).pause()
      resolve(read)
    }
    const onData = (chunk: Buffer): void => {
      octets = Buffer.concat([octets, chunk])
      const end = headEnd(octets)
      if (end >= 0) settle({ head: octets.toString('latin1', 0, end), rest: octets.subarray(end) })
      else if (octets.length > MAX_HEAD) settle({ why: 'sent more than 64 KiB that are no head', silent: false })
    }
    const onEnd = (): void => {
      const silent = octets.length === 0
      settle({
        why: silent ? 'ended TCP without a word' : `ended TCP behind ${quote(octets.toString('latin1'))}`,
        silent,
      })
    }
    const timer = setTimeout(
      () => settle({ why: `sent no whole head within ${milliseconds / 1000} s`, silent: false }),
      milliseconds,
    )
    socket.on('data', onData).on('end', onEnd).on('close', onEnd)
    if (socket.destroyed || socket.readableEnded) onEnd()
    else socket.resume()
  })
}

/** The tester is the client. */
export async function openAsClient(
  socket: Socket,
  target: Target,
  { opening = {} }: Case,
  log: WireLog,
  timeoutFactor: number,
): Promise<Opened> {
  const usual = usualRequest(target, opening.offer)
  const request = latin1(opening.request?.(usual) ?? usual)
  log.add('tester', 'head', request)
  void say(socket, request, opening.chop)
  const read = await awaitHead(socket, OPENING_TIME * timeoutFactor)
  if ('why' in read) {
    if (mayRefuse(opening) && read.silent) return { outcome: 'refused' }
    return problem(`the server ${read.why}`)
  }
  log.add('peer', 'head', latin1(read.head))
  const head = readHead(read.head)
  const status = head === undefined ? undefined : statusOf(head.startLine)
  const noHead = `the server answered no head of HTTP: ${quote(read.head)}`
  if (head === undefined || status === undefined) return problem(noHead)
  if (opening.outcome === 'refuse' || (opening.outcome === 'either' && status !== 101)) {
    return judgeRefusal(status, read.head, opening)
  }
  const why =
    status === 101
      ? checkAnswer(head, readHead(request.toString('latin1')) ?? readHead(usual))
      : `it answered ${quote(head.startLine)}`
  if (why !== undefined) return problem(`expected the server to open the connection, but ${why}`)
  return {
    outcome: 'open',
    peerHead: read.head,
    extensions: fieldOf(head, 'sec-websocket-extensions'),
    rest: read.rest,
  }
}

function mayRefuse({ outcome }: Opening): boolean {
  return outcome === 'refuse' || outcome === 'either'
}

function judgeRefusal(status: number, head: string, opening: Opening): Opened {
  const { statuses } = opening
  if (status === 101) return problem('expected the server to refuse the opening handshake, but it answered 101')
  if (statuses === undefined || statuses.includes(status)) {
    const why = opening.refusal?.(head)
    return why === undefined ? { outcome: 'refused' } : problem(`the server refused as it has to, but ${why}`)
  }
  return problem(`expected the server to refuse with ${statuses.join(' or ')}, but it answered ${status}`)
}

function usualRequest({ host, path, fields }: Target, offer: string | undefined): string {
  return writeHead(`GET ${path} HTTP/1.1`, [
    ['Host', host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', createKey()],
    ['Sec-WebSocket-Version', '13'],
    ...(offer === undefined ? [] : ([['Sec-WebSocket-Extensions', offer]] as const)),
    ...fields,
  ])
}

/** What is wrong with a 101 (RFC 6455 4.1, the numbered list behind "Once the client's opening handshake has been sent"). */
function checkAnswer(head: Head, request: Head | undefined): string | undefined {
  if (fieldOf(head, 'upgrade').toLowerCase() !== 'websocket') return 'its Upgrade field is not websocket'
  if (!hasToken(fieldOf(head, 'connection'), 'upgrade')) return 'its Connection field does not have Upgrade'
  if (fieldOf(head, 'sec-websocket-accept') !== acceptOf(fieldOf(request, 'sec-websocket-key'))) {
    return 'its Sec-WebSocket-Accept does not belong to the key'
  }
  const protocol = head.fields.get('sec-websocket-protocol')
  if (protocol !== undefined && !listOf(fieldOf(request, 'sec-websocket-protocol')).includes(protocol)) {
    return `it chose the subprotocol ${quote(protocol)}, which it was not offered`
  }
  const offered = new Set(listOf(fieldOf(request, 'sec-websocket-extensions')).map(extensionName))
  const agreed = listOf(fieldOf(head, 'sec-websocket-extensions'))
  const stranger = agreed.find((extension) => !offered.has(extensionName(extension)))
  return stranger === undefined ? undefined : `it agreed to the extension ${quote(stranger)}, which it was not offered`
}

/** The tester is the server, and `read` has come. */
export async function openAsServer(
  socket: Socket,
  read: { readonly head: string; readonly rest: Buffer },
  { opening = {} }: Case,
  log: WireLog,
  timeoutFactor: number,
): Promise<Opened> {
  log.add('peer', 'head', latin1(read.head))
  const request = readHead(read.head)
  const why = request === undefined ? 'it is no head of HTTP' : checkRequest(request)
  if (request === undefined || why !== undefined) return problem(`the client sent a request that opens nothing: ${why}`)
  const extensions = opening.answer?.(fieldOf(request, 'sec-websocket-extensions')) ?? ''
  const usual = usualAnswer(request, extensions)
  const answer = latin1(opening.response?.(usual, read.head) ?? usual)
  log.add('tester', 'head', answer)
  await say(socket, answer, opening.chop)
  if (opening.outcome === 'refuse') return awaitRefusal(socket, read.rest, log, timeoutFactor)
  return { outcome: 'open', peerHead: read.head, extensions, rest: read.rest }
}

/** What is wrong with a request (RFC 6455 4.1). */
function checkRequest(head: Head): string | undefined {
  const { startLine, fields } = head
  if (!startLine.startsWith('GET ') || !startLine.endsWith(' HTTP/1.1')) return `it begins with ${quote(startLine)}`
  if (!fields.has('host')) return 'it has no Host field'
  if (!hasToken(fieldOf(head, 'upgrade'), 'websocket')) return 'its Upgrade field does not have websocket'
  if (!hasToken(fieldOf(head, 'connection'), 'upgrade')) return 'its Connection field does not have Upgrade'
  if (fieldOf(head, 'sec-websocket-version') !== '13') return 'its Sec-WebSocket-Version is not 13'
  const key = fieldOf(head, 'sec-websocket-key')
  const octets = Buffer.from(key, 'base64')
  const good = octets.length === 16 && octets.toString('base64') === key
  return good ? undefined : 'its Sec-WebSocket-Key is not 16 octets in base64'
}

function usualAnswer(request: Head, extensions: string): string {
  return writeHead('HTTP/1.1 101 Switching Protocols', [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptOf(fieldOf(request, 'sec-websocket-key'))],
    ...(extensions === '' ? [] : ([['Sec-WebSocket-Extensions', extensions]] as const)),
  ])
}

/** The client has to drop TCP, and to send nothing (RFC 6455 4.1: _Fail the WebSocket Connection_). */
function awaitRefusal(socket: Socket, rest: Buffer, log: WireLog, timeoutFactor: number): Promise<Opened> {
  const early = 'the client sent something behind its request before it had an answer'
  if (rest.length > 0) return Promise.resolve(problem(early))
  return new Promise((resolve) => {
    const settle = (opened: Opened): void => {
      clearTimeout(timer)
      socket.off('data', onData).off('end', onEnd).off('close', onEnd)
      resolve(opened)
    }
    const onData = (chunk: Buffer): void => {
      log.add('peer', 'octets', chunk)
      settle(problem('expected the client to refuse the answer and to drop TCP, but it sent something'))
    }
    const onEnd = (): void => settle({ outcome: 'refused' })
    const stays = 'expected the client to refuse the answer and to drop TCP, but the connection stayed open'
    const timer = setTimeout(() => settle(problem(stays)), REFUSE_TIME * timeoutFactor)
    socket.on('data', onData).on('end', onEnd).on('close', onEnd)
    if (socket.destroyed) onEnd()
    else socket.resume()
  })
}

/** Writes a head, all at once or a few octets at a time. */
async function say(socket: Socket, head: Buffer, chop: number = head.length): Promise<void> {
  for (let at = 0; at < head.length && !socket.destroyed; at += chop) {
    socket.write(head.subarray(at, at + chop))
    if (chop < head.length) await new Promise((resolve) => setImmediate(resolve))
  }
}

function problem(why: string): Opened {
  return { outcome: 'problem', why }
}

function latin1(head: string | Buffer): Buffer {
  return typeof head === 'string' ? Buffer.from(head, 'latin1') : head
}
