/**
 * Echo endpoints for the conformance kit: ours and those of `ws`, in both roles; and what drives a client through a run.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { answer } from '../../peers/support/echo.ts'
import type { Report, RunOptions } from '../../src/conformance/index.ts'
import { testClients, testServer } from '../../src/conformance/index.ts'
import { connect, serve } from '../../src/index.ts'

/** The largest message of section 9 has 16 MiB. */
const MAX_MESSAGE = 17 * 1024 * 1024

/** Some cases are about what a message takes from those before it. */
const WITH_CONTEXT = { serverNoContextTakeover: false, clientNoContextTakeover: false }

/** One connection of a client: echoes every message, or hands the first one out; settles when it has ended. */
export type Client = (url: string, onText?: (text: string) => void) => Promise<void>

/** Judges our server. */
export async function testOurServer(options: RunOptions): Promise<Report> {
  const server = await serve({
    host: '127.0.0.1',
    port: 0,
    maxMessageSize: MAX_MESSAGE,
    perMessageDeflate: WITH_CONTEXT,
    message: answer,
    error: () => {},
  })
  try {
    return await testServer(server.url, options)
  } finally {
    await server.shutdown({ timeout: 0 })
  }
}

export const ourClient: Client = async (url, onText) => {
  let closed: () => void
  const end = new Promise<void>((resolve) => {
    closed = resolve
  })
  await connect(url, {
    maxMessageSize: MAX_MESSAGE,
    perMessageDeflate: WITH_CONTEXT,
    message: (ws, data) => {
      if (onText === undefined) answer(ws, data)
      else onText(String(data))
    },
    error: () => {},
    close: () => closed(),
  })
  await end
}

/** `maxFragments: 0` takes the limit away that `ws` has by default. */
export interface WsOptions {
  readonly maxFragments?: number
}

export async function testWsServer(wsOptions: WsOptions, options: RunOptions): Promise<Report> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...wsOptions })
  server.on('connection', (ws) => {
    ws.on('error', () => {})
    ws.on('message', (data, binary) => ws.send(data, { binary }))
  })
  await once(server, 'listening')
  try {
    return await testServer(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options)
  } finally {
    for (const ws of server.clients) ws.terminate()
    server.close()
  }
}

export function wsClient(options: WsOptions): Client {
  return (url, onText) =>
    new Promise((resolve) => {
      const ws = new WebSocket(url, options)
      ws.on('error', () => {})
      ws.on('close', () => resolve())
      ws.on('message', (data, binary) => {
        if (onText === undefined) ws.send(data, { binary })
        else onText((data as Buffer).toString())
      })
    })
}

/** Leads `client` through all its cases, `concurrency` of them at once. */
export async function driveClient(client: Client, options: RunOptions = {}): Promise<Report> {
  const { concurrency = 4 } = options
  const run = await testClients(options)
  try {
    let count = 0
    await client(`${run.url}/getCaseCount`, (text) => {
      count = Number(text)
    })
    const numbers = Array.from({ length: count }, (_, at) => at + 1).values()
    const worker = async (): Promise<void> => {
      // A client that refuses an opening handshake tells so, and has cases where it has to.
      for (const number of numbers) await client(`${run.url}/runCase?case=${number}&agent=test`).catch(() => {})
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    await client(`${run.url}/updateReports?agent=test`)
    return await run.finished
  } finally {
    await run.close()
  }
}
