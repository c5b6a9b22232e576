/**
 * A connection of the load: TCP, the opening handshake as a browser writes it, then octets into whatever `receive` is. All
 * connections read into one buffer, which is never kept.
 */
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { Unable, WrongReply } from './plan.ts'

export interface Target {
  readonly host: string
  readonly port: number
  /** A path and query. */
  readonly path: string
}

/** Large enough for a reply of 1 MiB in a few reads, small enough for a processor's cache. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)
/** Connections that are opened at once. */
const AT_ONCE = 100
const PATIENCE = 20_000

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

export function targetOf(url: string): Target {
  const { protocol, hostname, port, pathname, search } = new URL(url)
  if (protocol !== 'ws:') throw new Error(`not a ws:// URL: ${url}`)
  return { host: hostname, port: Number(port === '' ? 80 : port), path: pathname + search }
}

/** As Chrome's, with what pages send along on their own host. */
export function openingRequest({ host, port, path }: Target, extensions?: string, headerOctets = 0): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    `Origin: http://${host}:${port}`,
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1',
    `Sec-WebSocket-Key: ${KEY}`,
    ...(extensions === undefined ? [] : [`Sec-WebSocket-Extensions: ${extensions}`]),
    ...furtherFields(headerOctets),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Few and long, as servers limit how many there may be; the ends of their lines are counted. */
function furtherFields(octets: number): string[] {
  const lines: string[] = []
  for (let left = octets; left > SHORTEST_FIELD; left -= LONGEST_FIELD) {
    lines.push(`X-Field-${lines.length}: `.padEnd(Math.min(left, LONGEST_FIELD) - 2, 'value '))
  }
  return lines
}

const LONGEST_FIELD = 1024
const SHORTEST_FIELD = 16

export class Link {
  /** The answer's extensions. */
  extensions = ''
  receive: (bytes: Buffer, end: number) => void = ignore
  /** What is told when the connection ends before the load ends it, or `receive` throws. */
  failed: (error: Error) => void = ignore
  readonly socket: Socket
  #ended = false

  constructor({ host, port }: Target, localAddress?: string) {
    this.socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress !== undefined && { localAddress }),
      onread: { buffer: readBuffer, callback: (count) => this.#read(count) },
    })
    this.socket.on('error', (error) => this.#fail(error))
    this.socket.on('close', () => this.#fail(new WrongReply('it ended a connection')))
  }

  /** Settles when the handshake is done; rejects with what was wrong with it. */
  open(request: Buffer): Promise<this> {
    this.socket.write(request)
    return new Promise((resolve, reject) => {
      let head = ''
      this.failed = reject
      this.receive = (bytes, end) => {
        head += bytes.toString('latin1', 0, end)
        const length = head.indexOf('\r\n\r\n')
        if (length === -1) return
        if (head.length > length + 4) throw new WrongReply('it sends before it is spoken to')
        this.extensions = checkAnswer(head)
        this.receive = ignore
        resolve(this)
      }
    })
  }

  end(): void {
    this.#ended = true
    this.socket.destroy()
  }

  #read(count: number): boolean {
    try {
      this.receive(readBuffer, count)
    } catch (error) {
      this.#fail(error as Error)
    }
    return true
  }

  #fail(error: Error): void {
    if (this.#ended) return
    this.end()
    this.failed(error)
  }
}

function ignore(): void {}

/** Checks a 101; answers its extensions. */
export function checkAnswer(head: string): string {
  const [status, ...lines] = head.split('\r\n')
  if (!status.startsWith('HTTP/1.1 101')) throw new WrongReply(`it answers the handshake with ${status}`)
  const fields = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  if (fields.get('sec-websocket-accept') !== ACCEPT) throw new WrongReply('its Sec-WebSocket-Accept is wrong')
  return fields.get('sec-websocket-extensions') ?? ''
}

/** Opens connections, all of them or none; some at once, so that no backlog overflows. */
export async function openAll(count: number, target: Target, request: Buffer): Promise<Link[]> {
  const links: Link[] = []
  const timer = setTimeout(() => {
    for (const link of links) link.socket.destroy(new WrongReply(`it did not take ${count} connections in time`))
  }, PATIENCE)
  try {
    while (links.length < count) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - links.length) }, () => new Link(target))
      links.push(...some)
      await Promise.all(some.map((link) => link.open(request)))
    }
    return links
  } catch (error) {
    for (const link of links) link.end()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Opens connections that speak permessage-deflate; throws Unable where the program does not. */
export async function openCompressed(count: number, target: Target): Promise<Link[]> {
  const links = await openAll(count, target, openingRequest(target, 'permessage-deflate'))
  if (links.every((link) => link.extensions.startsWith('permessage-deflate'))) return links
  for (const link of links) link.end()
  throw new Unable('it has no permessage-deflate')
}
