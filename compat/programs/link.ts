/** A connection of our client's, as the checks use one. */
import assert from 'node:assert/strict'
import { connect } from 'fullduplex'
import type { ConnectOptions, Connection, Message } from 'fullduplex'

/** Whom our client is tried against: an echo that can be told things, as `echo.ts` has it. */
export interface Target {
  /** Without a path. */
  readonly url: string
  /** What a server's certificate has to be signed by, for `wss:`; PEM. */
  readonly ca: string
}

export class Link {
  readonly ws: Connection
  readonly #messages: AsyncIterator<Message, undefined>

  constructor(ws: Connection) {
    this.ws = ws
    this.#messages = ws.messages()
  }

  static async open({ url, ca }: Target, path: string = '/', options: ConnectOptions = {}): Promise<Link> {
    return new Link(await connect(`${url}${path}`, { tls: { ca }, ...options }))
  }

  /** The next message; throws when the connection ends instead. */
  async next(): Promise<Message> {
    const { value, done } = await this.#messages.next()
    assert.ok(done !== true, 'the connection ended where a message was expected')
    return value
  }

  /** Sends a message, and answers the next that comes. */
  ask(message: Message): Promise<Message> {
    this.ws.send(message)
    return this.next()
  }

  async askJson(message: string): Promise<unknown> {
    return JSON.parse(String(await this.ask(message)))
  }

  async close(): Promise<void> {
    const info = await this.ws.close(1000)
    assert.equal(info.wasClean, true, 'the connection did not end with a closing handshake')
  }
}

let last = 0

/** A name for a connection that nobody else has. */
export function freshId(): string {
  return `${process.pid}-${++last}`
}
