/**
 * The clients of churn, on our own client: connections that are opened, say one thing, hear it back, and end, in one of several ways;
 * some are reset, at different points of their lives. They come from many addresses in turn, as a port that was used cannot be used again
 * for a minute. Answers: `begin`, `run`.
 */
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect } from '../../src/index.ts'
import type { ClientConnection } from '../../src/index.ts'
import { Messages } from '../messages.ts'
import { answer } from '../probe.ts'

export interface ChurnPlan {
  readonly url: string
  readonly atOnce: number
  /** Connections come from 127.0.0.1 to 127.0.0.`addresses`. */
  readonly addresses: number
  /** Of every so many connections one is reset, in one of three ways. */
  readonly resetEvery: number
  readonly seed: number
}

/** How a connection ends. The first three have been open and heard their echo. */
export type End =
  | 'closed by the client'
  | 'closed by the server'
  | 'cut'
  | 'reset'
  | 'reset in a frame'
  | 'reset in the handshake'

export interface ChurnTotals {
  readonly ends: Readonly<Record<End, number>>
  /** What did not go as it should, by what was said about it. */
  readonly failures: Readonly<Record<string, number>>
}

const USUAL: readonly End[] = ['closed by the client', 'closed by the server', 'cut']
const RESETS: readonly End[] = ['reset', 'reset in a frame', 'reset in the handshake']
const PATIENCE = 10_000
/** The head of a masked binary frame with 1000 octets of payload, of which some come. */
const CUT_FRAME = Buffer.from('82fe03e80000000001020304', 'hex')
const CUT_HEAD = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webs'

class Churn {
  readonly #plan: ChurnPlan
  readonly #messages: Messages
  readonly #ends: Record<End, number> = {
    'closed by the client': 0,
    'closed by the server': 0,
    cut: 0,
    reset: 0,
    'reset in a frame': 0,
    'reset in the handshake': 0,
  }
  readonly #failures: Record<string, number> = {}
  #turn = 0

  constructor(plan: ChurnPlan) {
    this.#plan = plan
    this.#messages = new Messages(plan.seed)
  }

  /** Opens so many more, and settles when all have ended. */
  async run(count: number): Promise<ChurnTotals> {
    const last = this.#turn + count
    const oneAfterAnother = async (): Promise<void> => {
      while (this.#turn < last) await this.#one(this.#turn++)
    }
    await Promise.all(Array.from({ length: Math.min(this.#plan.atOnce, count) }, () => oneAfterAnother()))
    return { ends: { ...this.#ends }, failures: { ...this.#failures } }
  }

  async #one(turn: number): Promise<void> {
    const { resetEvery, addresses } = this.#plan
    const isReset = turn % resetEvery === resetEvery - 1
    const kinds = isReset ? RESETS : USUAL
    const end = kinds[(isReset ? Math.floor(turn / resetEvery) : turn) % kinds.length]
    const localAddress = `127.0.0.${1 + (turn % addresses)}`
    try {
      await (end === 'reset in the handshake' ? this.#halfOpen(localAddress) : this.#open(turn, end, localAddress))
      this.#ends[end]++
    } catch (error) {
      const { code = 'none', message } = error as NodeJS.ErrnoException
      const cause = (error as Error).cause as NodeJS.ErrnoException | undefined
      const name = `${end}: ${cause?.code ?? code}, ${message}`
      this.#failures[name] = (this.#failures[name] ?? 0) + 1
    }
  }

  async #halfOpen(localAddress: string): Promise<void> {
    const { hostname, port } = new URL(this.#plan.url)
    const socket = connectTcp({ host: hostname, port: Number(port), localAddress })
    await once(socket, 'connect')
    await write(socket, CUT_HEAD)
    await reset(socket)
  }

  async #open(turn: number, end: End, localAddress: string): Promise<void> {
    const { url } = this.#plan
    let socket: Socket | undefined
    let heard: (data: string | Buffer) => void = () => {}
    const options = {
      handshakeTimeout: PATIENCE,
      oneAtATime: false,
      message: (_ws: unknown, data: string | Buffer) => heard(data),
    }
    const createConnection = ({ host, port }: { host: string; port: number }): Socket =>
      (socket = connectTcp({ host, port, localAddress, allowHalfOpen: true, noDelay: true }))
    const isReset = RESETS.includes(end)
    const ws = await connect(url, isReset ? { ...options, createConnection } : { ...options, localAddress })
    const key = { kind: 'E', sender: turn % this.#plan.atOnce, sequence: turn } as const
    const echo = new Promise<string | Buffer>((resolve) => (heard = resolve))
    ws.send(this.#messages.make(key))
    const ended = ws.closed.then((): never => {
      throw new Error('it was closed before the echo came')
    })
    const data = await Promise.race([echo, ended])
    ended.catch(() => {})
    if (!this.#messages.isRight(key, data)) throw new Error('the echo has other octets')
    await this.#finish(ws, end, socket)
  }

  async #finish(ws: ClientConnection, end: End, socket: Socket | undefined): Promise<void> {
    if (socket !== undefined) {
      if (end === 'reset in a frame') await write(socket, CUT_FRAME)
      await reset(socket)
      return
    }
    if (end === 'cut') ws.terminate()
    else if (end === 'closed by the server') ws.send('C')
    const { wasClean, code } = await (end === 'closed by the client' ? ws.close(1000) : ws.closed)
    if (wasClean !== (end !== 'cut')) throw new Error(`it ended with ${code}, ${wasClean ? 'cleanly' : 'not cleanly'}`)
  }
}

/** Settles when the system has taken them. */
function write(socket: Socket, octets: string | Buffer): Promise<void> {
  return new Promise((resolve) => void socket.write(octets, () => resolve()))
}

async function reset(socket: Socket): Promise<void> {
  const closed = once(socket, 'close')
  socket.resetAndDestroy()
  await closed
}

let churn: Churn
answer('begin', (plan: ChurnPlan) => {
  churn = new Churn(plan)
})
answer('run', (count: number) => churn.run(count))
console.log('ready')
