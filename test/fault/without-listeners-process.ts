/**
 * Servers and clients without a handler. The servers wait to be abused; the clients go to servers of node:net that answer with whatever
 * a client should not be sent. Told to end, it says what was left.
 */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createServer as createHttpServer } from 'node:http'
import type { TlsOptions } from 'node:tls'
import { connect } from '../../src/client/index.ts'
import { attach, createHandler, serve } from '../../src/server/index.ts'
import { acceptOf } from '../support/accept.ts'
import { remaining } from '../support/remaining.ts'

export interface Report {
  /** Where the servers listen: TCP, TLS and a server of node:http. */
  readonly ports: readonly number[]
  /** Of clients, and how many of them failed or were failed. */
  readonly attempts: number
  readonly failed: number
  readonly connections: number
  /** Of `process.getActiveResourcesInfo`, without the channel to the test. */
  readonly resources: readonly string[]
  /** Names that the prototypes of objects, arrays and functions have gained or lost. */
  readonly polluted: readonly string[]
}

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype]
const namesOf = (): string[] =>
  PROTOTYPES.flatMap((prototype, index) => Reflect.ownKeys(prototype).map((name) => `${index} ${String(name)}`))
const before = namesOf()

/** What follows a good answer, or stands in its place. */
const BAD_ANSWERS = [
  '',
  'HTTP/1.1 101\r\n',
  '\0',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 101 X\r\nA : b\r\n\r\n',
  'HTTP/1.1 100\r\n\r\n'.repeat(50),
]
const BAD_FRAMES = [
  '83 00',
  '81 02 c0 80',
  '88 01 00',
  '88 02 03 ed',
  '81 80 00000000',
  '82 7f ffffffffffffffff',
  'c1 02 0300',
  '00 00',
  '81',
]

/** Connects to a server that says these octets to whoever has sent a request, and then hangs up. Answers whether that failed. */
async function meet(answer: (request: string) => Buffer): Promise<boolean> {
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', (request) => socket.end(answer(request.toString('latin1'))))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  try {
    const ws = await connect(`ws://127.0.0.1:${port}/`)
    return !(await ws.closed).wasClean
  } catch {
    return true
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

function answerWith(frames: string): (request: string) => Buffer {
  return (request) => {
    const head = `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(request)}\r\n\r\n`
    return Buffer.concat([Buffer.from(head), Buffer.from(frames.replaceAll(' ', ''), 'hex')])
  }
}

async function main(tls: TlsOptions): Promise<void> {
  const host = '127.0.0.1'
  const http = createHttpServer()
  const handler = createHandler({})
  attach(http, handler)
  await new Promise<void>((resolve) => {
    http.listen(0, host, resolve)
  })
  const servers = [await serve({ host, perMessageDeflate: true }), await serve({ host, tls })]
  const ports = [...servers.map(({ port = 0 }) => port), (http.address() as AddressInfo).port]
  const met = [
    ...BAD_ANSWERS.map((answer) => meet(() => Buffer.from(answer, 'latin1'))),
    ...BAD_FRAMES.map((frames) => meet(answerWith(frames))),
  ]
  const failed = (await Promise.all(met)).filter(Boolean).length
  const report = { ports, attempts: met.length, failed, connections: 0, resources: [], polluted: [] }
  process.send?.(report satisfies Report)
  process.once('message', () => void end())

  async function end(): Promise<void> {
    await Promise.all([handler, ...servers].map((service) => service.shutdown({ timeout: 100 })))
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
    const resources = await remaining()
    const after = namesOf()
    const changed = [
      ...after.filter((name) => !before.includes(name)),
      ...before.filter((name) => !after.includes(name)),
    ]
    const last: Report = {
      ...report,
      connections: [handler, ...servers].reduce((sum, { connections }) => sum + connections.size, 0),
      resources,
      polluted: changed,
    }
    process.send?.(last, () => process.disconnect())
  }
}

process.once('message', (tls: TlsOptions) => void main(tls))
