/**
 * The server that clients are measured against: the cheapest one on node:net. What each connection sends first is looked at as a whole and
 * sent back as it is; from then on it looks at headers only, and answers with octets that are prepared.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { ClientScenario } from '../scenarios.ts'
import { OPCODE, payloadOf, serverFrame } from './frames.ts'
import { FrameCounter, MessageReader } from './incoming.ts'
import { WrongReply } from './plan.ts'
import { failure } from './traffic.ts'

/** Milliseconds for all connections to be open and checked. */
const PATIENCE = 20_000

export class Counterpart {
  /** Messages so far. */
  count = 0
  readonly octets = 0
  readonly failure: Promise<never>
  /** Settles when every connection is open, and has sent what it ought to. */
  readonly ready: Promise<void>
  readonly #scenario: ClientScenario
  readonly #replies: readonly Buffer[]
  readonly #server: Server
  readonly #sockets: Socket[] = []
  readonly #fail: (error: Error) => void
  #checked = 0
  #allChecked: () => void = () => {}
  #ended = false

  constructor(scenario: ClientScenario) {
    this.#scenario = scenario
    const { kind, size, depth } = scenario
    const reply = serverFrame(payloadOf(kind, size, 0), OPCODE[kind])
    const all = Buffer.concat(Array.from({ length: depth }, () => reply))
    this.#replies = Array.from({ length: depth + 1 }, (_, count) => all.subarray(0, count * reply.length))
    const { promise, reject } = failure()
    this.failure = promise
    this.#fail = (error) => {
      if (!this.#ended) reject(error)
    }
    this.ready = new Promise((resolve) => (this.#allChecked = resolve))
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    return `ws://127.0.0.1:${port}`
  }

  /** Rejects when something is wrong, or not all connections come in time. */
  async check(): Promise<void> {
    const { connections } = this.#scenario
    const timer = setTimeout(
      () => this.#fail(new WrongReply(`${this.#checked} of ${connections} connections sent what they ought to`)),
      PATIENCE,
    )
    await Promise.race([this.ready, this.failure]).finally(() => clearTimeout(timer))
  }

  end(): void {
    this.#ended = true
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.push(socket)
    let receive = (chunk: Buffer): void => {
      socket.write(acceptance(chunk))
      receive = this.#checking(socket, (next) => (receive = next))
    }
    socket.on('data', (chunk) => {
      try {
        receive(chunk)
      } catch (error) {
        this.#fail(error as Error)
        socket.destroy()
      }
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new WrongReply('it ended a connection')))
  }

  /** The first batch, in every octet. */
  #checking(socket: Socket, then: (next: (chunk: Buffer) => void) => void): (chunk: Buffer) => void {
    const { kind, size, depth } = this.#scenario
    const reader = new MessageReader('client')
    let messages = 0
    return (chunk) => {
      for (const { opcode, rsv1, payload } of reader.read(chunk, chunk.length)) {
        if (rsv1) throw new WrongReply('it compresses what nobody agreed to compress')
        if (opcode !== OPCODE[kind]) throw new WrongReply(`it sends opcode ${opcode} where ${OPCODE[kind]} is right`)
        if (payload.length !== size) throw new WrongReply(`it sends ${payload.length} octets where ${size} are right`)
        messages++
        // Whoever sends more than a batch does not wait, and what comes then belongs to no batch.
        if (messages > depth) throw new WrongReply(`it sends more than ${depth} messages before it has got replies`)
        socket.write(serverFrame(payload, opcode))
      }
      if (messages < depth) return
      then(this.#counting(socket))
      if (++this.#checked === this.#scenario.connections) this.#allChecked()
    }
  }

  #counting(socket: Socket): (chunk: Buffer) => void {
    const counter = new FrameCounter('client')
    const { depth } = this.#scenario
    return (chunk) => {
      let complete = counter.read(chunk, chunk.length)
      this.count += complete
      for (; complete > 0; complete -= depth) socket.write(this.#replies[Math.min(complete, depth)])
    }
  }
}

/** The 101 to a request that came in one piece. Throws a WrongReply where it is not an opening handshake. */
function acceptance(request: Buffer): string {
  const head = request.toString('latin1')
  const key = /^sec-websocket-key:[ \t]*(\S+)/im.exec(head)?.[1]
  if (key === undefined || !head.endsWith('\r\n\r\n')) throw new WrongReply('it does not open as RFC 6455 says')
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    '\r\n',
  ].join('\r\n')
}
