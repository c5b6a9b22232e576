/**
 * Echo over TCP: what a message costs a server in CPU time, beside `ws`, in one run: `npm run bench`.
 *
 * Server and load are two processes. The load sends frames that were encoded before, and counts octets instead of
 * parsing, so that the server is what is measured. Rounds of the two servers alternate, and the medians are compared:
 * on a busy machine the times drift, the ratio much less.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { constants, deflateRawSync } from 'node:zlib'
import { FrameHeader, Opcode, encodeFrame, readFrameHeader } from 'fullduplex/framing'

interface Scenario {
  readonly name: string
  readonly connections: number
  /** Octets of a message. */
  readonly size: number
  /** Messages that a connection sends before it waits for their echo. */
  readonly batch: number
  readonly opcode: number
  /** Compressed both ways, each message by itself (RFC 7692). */
  readonly deflate?: boolean
}

const SCENARIOS: readonly Scenario[] = [
  { name: '50 connections, 32 B text, by 100', connections: 50, size: 32, batch: 100, opcode: Opcode.Text },
  { name: '1 connection, 32 B text, by 100', connections: 1, size: 32, batch: 100, opcode: Opcode.Text },
  { name: '100 connections, 32 B binary, by 1', connections: 100, size: 32, batch: 1, opcode: Opcode.Binary },
  { name: '50 connections, 1 KiB text, by 10', connections: 50, size: 1024, batch: 10, opcode: Opcode.Text },
  { name: '4 connections, 1 MiB binary, by 1', connections: 4, size: 1024 * 1024, batch: 1, opcode: Opcode.Binary },
  {
    name: '50 connections, 1 KiB deflated, by 10',
    connections: 50,
    size: 1024,
    batch: 10,
    opcode: Opcode.Text,
    deflate: true,
  },
  {
    name: '10 connections, 100 KiB deflated, by 1',
    connections: 10,
    size: 102_400,
    batch: 1,
    opcode: Opcode.Text,
    deflate: true,
  },
]
const SERVERS = ['fullduplex', 'ws'] as const
const ROUNDS = 3
const WARM_UP = 700
const MEASURED = 1500
const MASKING_KEY = 0x04030201

const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover'
const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** Records such as services exchange. */
function json(size: number): string {
  const record = (i: number): object => ({
    id: (i * 7919) % 99_991,
    state: i % 3 === 0 ? 'open' : 'closed',
    price: i / 7,
  })
  return JSON.stringify(Array.from({ length: Math.ceil(size / 40) }, (_, i) => record(i))).slice(0, size)
}

/** The payload of a message, and as it is sent. */
function payloadOf({ size, deflate = false }: Scenario): Buffer {
  if (!deflate) return Buffer.alloc(size, 'a')
  return deflateRawSync(json(size), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
}

/** Keeps a scenario's connections busy, and counts the messages that have come back. */
class Load {
  messages = 0
  readonly #sockets: Socket[] = []

  constructor(port: number, scenario: Scenario) {
    const { connections, opcode, batch, deflate = false } = scenario
    const frame = encodeFrame({ opcode, rsv1: deflate, payload: payloadOf(scenario), maskingKey: MASKING_KEY })
    for (let index = 0; index < connections; index++) this.#open(port, frame, batch, deflate)
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(port: number, frame: Buffer, batch: number, deflate: boolean): void {
    const frames = Buffer.concat(Array.from({ length: batch }, () => frame))
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#sockets.push(socket)
    socket.write([...HANDSHAKE, ...(deflate ? [OFFER] : []), '\r\n'].join('\r\n'))
    // The answer to the handshake comes alone, as nothing was sent behind it; so does the first echo, which tells by its
    // header how long all others are.
    socket.once('data', () => {
      let echoed = 0
      let pending = 0
      socket.write(frame)
      socket.on('data', (chunk) => {
        if (echoed === 0) {
          const header = new FrameHeader()
          echoed = readFrameHeader(chunk, 0, header) + header.payloadLength
          pending = echoed
        }
        pending -= chunk.length
        if (pending > 0) return
        pending += echoed * batch
        this.messages += batch
        socket.write(frames)
      })
    })
  }
}

/** Microseconds of the server's CPU time for a message. */
async function measure(server: string, scenario: Scenario): Promise<number> {
  const child = fork(new URL('echo-server.ts', import.meta.url), [server])
  const { port } = await answer<{ port: number }>(child)
  const load = new Load(port, scenario)
  await sleep(WARM_UP)
  const [cpuBefore, messagesBefore] = [await cpuOf(child), load.messages]
  await sleep(MEASURED)
  const cost = ((await cpuOf(child)) - cpuBefore) / (load.messages - messagesBefore)
  load.end()
  child.disconnect()
  await once(child, 'exit')
  return cost
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu')
  const { cpu } = await answer<{ cpu: NodeJS.CpuUsage }>(child)
  return cpu.user + cpu.system
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message')
  return message as T
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

console.log('CPU time of the server per message, in microseconds, medians\n')
console.log(`${'scenario'.padEnd(38)}${SERVERS.map((name) => name.padStart(12)).join('')}       ratio`)
for (const scenario of SCENARIOS) {
  const costs = SERVERS.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, server] of SERVERS.entries()) costs[index].push(await measure(server, scenario))
  }
  const medians = costs.map(median)
  const columns = medians.map((cost) => cost.toFixed(2).padStart(12)).join('')
  console.log(`${scenario.name.padEnd(38)}${columns}${(medians[1] / medians[0]).toFixed(1).padStart(10)} ×`)
}
