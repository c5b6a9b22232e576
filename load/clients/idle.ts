/**
 * Clients that keep connections open and say nothing, on our own client, or on bare sockets to compare with. Answers: `open`, `pings`,
 * `echo`, `close`.
 */
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { connect } from '../../src/index.ts'
import type { ClientConnection, ConnectOptions } from '../../src/index.ts'
import { Messages } from '../messages.ts'
import { answer } from '../probe.ts'

export interface IdlePlan {
  readonly url: string
  /** Connections that there are to be, those that are open already included. */
  readonly connections: number
  /** They come from 127.0.0.1 to 127.0.0.`addresses`. */
  readonly addresses: number
  readonly bare: boolean
}

/** Pings that the connections got: that with the fewest, and all together. */
export interface Pings {
  readonly least: number
  readonly all: number
}

const AT_ONCE = 100

const connections: ClientConnection<number>[] = []
const sockets: Socket[] = []
const pings: number[] = []
const messages = new Messages(1)
/** Connections that ended while nobody had asked for that, and how. */
const lost: string[] = []
let ending = false
/** Who waits for an echo, by connection. */
const waiting = new Map<number, (data: string | Buffer) => void>()

/** The functions of all connections, as there is one object for all on a server. */
const handler: ConnectOptions<number> = {
  oneAtATime: false,
  message: (ws, data) => waiting.get(ws.data)?.(data),
  ping: (ws) => void pings[ws.data]++,
  close(ws, { code, initiator }) {
    if (!ending) lost.push(`connection ${ws.data} was closed: ${code}, by ${initiator}`)
  },
}

async function open({ url, connections: count, addresses, bare }: IdlePlan): Promise<void> {
  const { hostname, port } = new URL(url)
  await atOnce(bare ? sockets.length : connections.length, count, async (index) => {
    const localAddress = `127.0.0.${1 + (index % addresses)}`
    if (bare) {
      sockets[index] = await openBare({ host: hostname, port: Number(port), localAddress })
    } else {
      pings[index] = 0
      connections[index] = await connect(url, { ...handler, localAddress, data: index })
    }
  })
}

function openBare(where: { host: string; port: number; localAddress: string }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ ...where, allowHalfOpen: true, noDelay: true })
    socket.write('GET / HTTP/1.1\r\n\r\n')
    socket.once('error', reject)
    socket.once('data', () => {
      socket.off('error', reject)
      socket.on('data', ignore).on('error', ignore).on('end', ignore).on('close', ignore)
      resolve(socket)
    })
  })
}

function ignore(): void {}

/** Has every connection say one thing, and rejects unless all hear it back. */
async function echo(): Promise<number> {
  await atOnce(0, connections.length, async (index) => {
    const key = { kind: 'E', sender: index, sequence: 0 } as const
    const heard = new Promise<string | Buffer>((resolve) => waiting.set(index, resolve))
    connections[index].send(messages.make(key))
    const ended = connections[index].closed.then((): never => {
      throw new Error(lost[0] ?? `connection ${index} was closed`)
    })
    if (!messages.isRight(key, await Promise.race([heard, ended]))) throw new Error('an echo has other octets')
    ended.catch(() => {})
    waiting.delete(index)
  })
  return connections.length
}

/** How many were closed cleanly. */
async function close(): Promise<number> {
  ending = true
  let clean = 0
  await atOnce(0, connections.length, async (index) => {
    const { wasClean } = await connections[index].close(1000)
    if (wasClean) clean++
  })
  return clean
}

/** `act` for each index, some at a time. */
async function atOnce(from: number, to: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = from
  const oneAfterAnother = async (): Promise<void> => {
    while (next < to) await act(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, () => oneAfterAnother()))
}

answer('open', open)
answer('pings', (): Pings => {
  let all = 0
  for (const count of pings) all += count
  return { least: Math.min(...pings), all }
})
answer('lost', () => lost)
answer('echo', echo)
answer('close', close)
console.log('ready')
