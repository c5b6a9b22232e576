/**
 * A process to be attacked (`victim-process.ts`), as server or as client, and the sockets of those who attack it. They
 * send what they like, read nothing unless they are told to, and are gone when the test is.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { ConnectionOptions } from '../../../src/connection/index.ts'
import type { Role } from '../../../src/framing/rules.ts'
import { handshake } from '../../support/heads.ts'
import { acceptance } from '../../support/raw-server.ts'
import type { Order, Report, Start } from './victim-process.ts'

export const KiB = 1024
export const MiB: number = 1024 * KiB

const program = fileURLToPath(new URL('victim-process.ts', import.meta.url))
/** Little room for what is young, as otherwise the process grows by some MiB before anything of it is collected. */
const execArgv = ['--import', 'tsx', '--max-semi-space-size=1']
const AT_ONCE = 50

export interface VictimOptions extends ConnectionOptions {
  /** What is agreed upon, as in `Sec-WebSocket-Extensions`. */
  readonly extensions?: string
  /** Whether it reads messages in parts, as they come. */
  readonly inParts?: boolean
}

export class Victim {
  readonly #child: ChildProcess
  readonly #port: number
  readonly #listener: Server | undefined
  /** What is offered to a server, and answered to a client. */
  readonly #fields: Readonly<Record<string, string>>
  readonly #sockets: Socket[] = []

  private constructor(child: ChildProcess, port: number, listener: Server | undefined, extensions: string | undefined) {
    this.#child = child
    this.#port = port
    this.#listener = listener
    this.#fields = extensions === undefined ? {} : { 'Sec-WebSocket-Extensions': extensions }
  }

  static async start(role: Role, { extensions, inParts = false, ...options }: VictimOptions = {}): Promise<Victim> {
    const child = fork(program, [], { execArgv })
    const listener = role === 'client' ? await listen() : undefined
    onTestFinished(() => void child.kill('SIGKILL'))
    child.send({ role, port: portOf(listener), options, inParts } satisfies Start)
    const victim = new Victim(child, (await answerOf(child)) as number, listener, extensions)
    onTestFinished(() => {
      for (const socket of victim.#sockets) socket.destroy()
      listener?.close()
    })
    return victim
  }

  /** So many further connections to it, or from it. */
  async open(count: number): Promise<Socket[]> {
    const sockets =
      this.#listener === undefined ? await this.#connect(count) : await this.#accept(this.#listener, count)
    this.#sockets.push(...sockets)
    return sockets
  }

  async report(): Promise<Report> {
    return (await this.#ask({ report: true })) as Report
  }

  /** Sends `bytes` by each of the sockets, and waits until the victim has read them all. */
  async send(sockets: readonly Socket[], bytes: Buffer): Promise<void> {
    const { read } = await this.report()
    for (const socket of sockets) socket.write(bytes)
    await this.#ask({ until: read + sockets.length * bytes.length })
  }

  #ask(order: Order): Promise<unknown> {
    this.#child.send(order)
    return answerOf(this.#child)
  }

  async #connect(count: number): Promise<Socket[]> {
    const sockets: Socket[] = []
    const connectNext = async (): Promise<void> => {
      while (sockets.length < count) {
        const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true }).on('error', () => {})
        sockets.push(socket)
        socket.write(handshake(this.#fields))
        await once(socket, 'data')
        socket.pause()
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, () => connectNext()))
    return sockets
  }

  async #accept(listener: Server, count: number): Promise<Socket[]> {
    const sockets: Socket[] = []
    const onConnection = (socket: Socket): void => {
      sockets.push(socket)
      socket
        .on('error', () => {})
        .once('data', (request) => {
          socket.pause()
          socket.write(acceptance(String(request), this.#fields))
        })
    }
    listener.on('connection', onConnection)
    await this.#ask({ connect: count })
    listener.off('connection', onConnection)
    return sockets
  }
}

/** What the process says next, unless it dies before. */
function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`The process ended with ${code ?? signal}`))
    child.once('exit', onExit).once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

async function listen(): Promise<Server> {
  const listener = createServer({ noDelay: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return listener
}

function portOf(listener: Server | undefined): number {
  return listener === undefined ? 0 : (listener.address() as AddressInfo).port
}
