/** Servers and clients that end with the test that asked for them, over each transport that a server may listen on. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { serve } from '../../src/server/server.ts'
import type { ListenOptions, RoutedServeOptions, ServeOptions, WebSocketServer } from '../../src/server/server.ts'
import { createAuthority } from '../support/certificates.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import type { Place, RawHead } from '../support/raw-client.ts'

export interface Transport {
  readonly name: 'TCP' | 'a Unix socket' | 'TLS' | 'TLS on a Unix socket'
  readonly secure: boolean
  /** Options of a new server, and where its clients connect to once it listens. */
  listen(): Promise<{ options: ListenOptions; place: (server: { readonly port: number | undefined }) => Place }>
}

function loopback(secure: boolean): Transport['listen'] {
  return async () => {
    const tls = secure ? await tlsOptions() : undefined
    return {
      options: { host: '127.0.0.1', ...(tls && { tls: tls.server }) },
      place: ({ port }) => ({ port, ...(tls && { tls: tls.client }) }),
    }
  }
}

function unix(secure: boolean): Transport['listen'] {
  return async () => {
    const tls = secure ? await tlsOptions() : undefined
    const path = socketPath()
    return {
      options: { socketPath: path, ...(tls && { tls: tls.server }) },
      place: () => ({ path, ...(tls && { tls: tls.client }) }),
    }
  }
}

export const TCP: Transport = { name: 'TCP', secure: false, listen: loopback(false) }
export const UNIX: Transport = { name: 'a Unix socket', secure: false, listen: unix(false) }
export const TLS: Transport = { name: 'TLS', secure: true, listen: loopback(true) }
export const UNIX_TLS: Transport = { name: 'TLS on a Unix socket', secure: true, listen: unix(true) }

export const TRANSPORTS: readonly Transport[] = [TCP, UNIX, TLS, UNIX_TLS]

let certified: ReturnType<typeof certify> | undefined

async function certify() {
  const authority = await createAuthority()
  return { server: await authority.issue(), client: { ca: authority.cert } }
}

/** One certificate for all tests of a file. */
export function tlsOptions(): ReturnType<typeof certify> {
  certified ??= certify()
  return certified
}

/** Where a Unix socket may be made. */
export function socketPath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'socket-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 's')
}

/** A server and its clients. */
export interface Running<Data> {
  readonly server: WebSocketServer<Data>
  /** A transport without a handshake. */
  dial(): Promise<RawClient>
  /** A connection: a client whose handshake, with these changes, was answered with 101. */
  open(changes?: Parameters<typeof handshake>[0], startLine?: string): Promise<RawClient & { answer: RawHead }>
}

/** Starts a server; it is shut down, and its clients destroyed, when the test is over. */
export async function start<Data = unknown>(options: ServeOptions<Data>, transport?: Transport): Promise<Running<Data>>
export async function start(options: RoutedServeOptions, transport?: Transport): Promise<Running<unknown>>
export async function start<Data>(
  options: ServeOptions<Data> | RoutedServeOptions,
  transport: Transport = TCP,
): Promise<Running<Data>> {
  const { options: where, place } = await transport.listen()
  const server = await serve<Data>({ ...where, ...options } as ServeOptions<Data>)
  const clients: RawClient[] = []
  onTestFinished(async () => {
    for (const client of clients) client.destroy()
    await server.shutdown({ timeout: 0 })
  })
  const dialServer = async (): Promise<RawClient> => {
    const client = await RawClient.connect(place(server))
    clients.push(client)
    return client
  }
  return {
    server,
    dial: dialServer,
    open: async (changes, startLine) => {
      const client = await dialServer()
      const answer = await client.write(handshake(changes, startLine)).readHead()
      if (answer.status !== 101) throw new Error(`not opened: ${answer.text}`)
      return Object.assign(client, { answer })
    },
  }
}

/** Something that happens once, and may be waited for. */
export class Event<T = void> {
  readonly happened: Promise<T>
  happen!: (value: T) => void

  constructor() {
    this.happened = new Promise((resolve) => {
      this.happen = resolve
    })
  }
}

/** What happens again and again; each is waited for in its turn. */
export class Events<T> {
  readonly all: T[] = []
  #taken = 0
  #wake: (() => void) | undefined = undefined

  readonly push = (value: T): void => {
    this.all.push(value)
    this.#wake?.()
  }

  async next(): Promise<T> {
    const index = this.#taken++
    while (this.all.length <= index) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.all[index]
  }
}

/** The time of the clocks is in the test's hands: answers a function that lets milliseconds pass. */
export function fakeClock(): (milliseconds: number) => void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  return (milliseconds) => {
    vi.advanceTimersByTime(milliseconds)
  }
}

/** A client that is destroyed when the test is over. */
export async function dial(place: Place): Promise<RawClient> {
  const client = await RawClient.connect(place)
  onTestFinished(() => {
    client.destroy()
  })
  return client
}

/** The port on which an HTTP server listens now; it is closed when the test is over. */
export async function listenHttp(server: HttpServer | HttpsServer): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}
