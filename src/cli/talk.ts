/**
 * A connection that somebody talks over: entries in, events out. It knows neither terminals nor streams. When it ends by
 * itself: after so many messages, or when the input has ended and nothing has come for a while.
 */
import { connect } from '../client/index.ts'
import type { Connection } from '../connection/index.ts'
import type { CloseInfo } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import type { ClientOptions } from './client-options.ts'
import type { Event } from './events.ts'
import { ENTRY_COMMANDS } from './lines.ts'
import type { Entry } from './lines.ts'

export interface TalkPlan {
  readonly url: string
  readonly options: ClientOptions
  /** Whether each frame is an event. */
  readonly wire: boolean
  /** How many messages to wait for; Infinity for all that come. */
  readonly exitAfter: number
  /** Milliseconds without a message after the end of the input; Infinity: until the peer closes. */
  readonly wait: number
}

export interface Listener {
  show(event: Event): void
  /** What is no event, but an answer to who has asked. */
  say(text: string): void
}

export class Talk {
  readonly #plan: TalkPlan
  readonly #listener: Listener
  readonly #ws: Connection<undefined>
  /** When each Ping left that has not been answered, by its payload. */
  readonly #pings = new Map<string, number>()
  #pinged = 0
  #received = 0
  #inputEnded = false
  #quiet: NodeJS.Timeout | undefined = undefined

  private constructor(plan: TalkPlan, listener: Listener, ws: Connection<undefined>) {
    this.#plan = plan
    this.#listener = listener
    this.#ws = ws
  }

  /** Rejects as `connect` does. */
  static async open(plan: TalkPlan, listener: Listener, signal: AbortSignal): Promise<Talk> {
    let talk: Talk | undefined
    const ofTalk = (ws: Connection<undefined>): Talk => (talk ??= new Talk(plan, listener, ws))
    const ws = await connect(plan.url, {
      ...plan.options,
      signal,
      open: (opened) => {
        if (plan.wire) opened.tap((frame) => listener.show({ type: 'frame', frame }))
        const { protocol, extensions } = opened
        listener.show({ type: 'open', peer: plan.url, protocol, extensions })
      },
      message: (from, data) => ofTalk(from).#message(data),
      ping: (_, payload) => listener.show({ type: 'ping', payload }),
      pong: (from, payload) => ofTalk(from).#pong(payload),
      error: (_, error) => listener.show({ type: 'error', message: error.message, code: codeOf(error) }),
    })
    return ofTalk(ws)
  }

  get isOpen(): boolean {
    return this.#ws.readyState === 1
  }

  /** Settles when the connection has ended, which is an event, too. */
  async ended(): Promise<CloseInfo> {
    const info = await this.#ws.closed
    clearTimeout(this.#quiet)
    this.#listener.show({ type: 'close', info })
    return info
  }

  /** Whether all came that was waited for. */
  get complete(): boolean {
    return this.#plan.exitAfter === Infinity || this.#received >= this.#plan.exitAfter
  }

  /** Does what was typed; answers whether more can be taken now. */
  take(entry: Entry): boolean {
    try {
      return this.#do(entry)
    } catch (error) {
      // What cannot be sent, such as a Ping that is too long.
      this.#listener.show({ type: 'error', message: (error as Error).message, code: codeOf(error) })
      return true
    }
  }

  drained(): Promise<void> {
    return this.#ws.drained()
  }

  /** Nothing follows: the answers have a chance to come, then it ends. */
  endInput(): void {
    this.#inputEnded = true
    this.#await()
  }

  close(code: number = CloseCode.NormalClosure): void {
    void this.#ws.close(code)
  }

  /** Ends it without a closing handshake. */
  terminate(): void {
    this.#ws.terminate()
  }

  #do(entry: Entry): boolean {
    const ws = this.#ws
    switch (entry.kind) {
      case 'text':
        return ws.send(entry.text)
      case 'binary':
        return ws.send(entry.octets)
      case 'ping':
        return this.#ping(entry.text)
      case 'close':
        void ws.close(entry.code ?? CloseCode.NormalClosure, entry.reason)
        return true
      case 'pause':
        ws.pause()
        return true
      case 'resume':
        ws.resume()
        return true
      case 'help': {
        const width = Math.max(...ENTRY_COMMANDS.map(([usage]) => usage.length)) + 2
        this.#listener.say(ENTRY_COMMANDS.map(([usage, meaning]) => usage.padEnd(width) + meaning).join('\n'))
        return true
      }
      default:
        this.#listener.show({ type: 'error', message: entry.message })
        return true
    }
  }

  #ping(text: string): boolean {
    const payload = text === '' ? String(++this.#pinged) : text
    const now = performance.now()
    const sent = this.#ws.ping(payload)
    this.#pings.set(payload, now)
    return sent
  }

  #pong(payload: Buffer): void {
    const now = performance.now()
    const text = payload.toString()
    const sent = this.#pings.get(text)
    this.#pings.delete(text)
    this.#listener.show({ type: 'pong', payload, ms: sent === undefined ? undefined : now - sent })
  }

  #message(data: string | Buffer): void {
    if (this.#received === this.#plan.exitAfter) return
    this.#received++
    this.#listener.show({ type: 'message', data })
    if (this.#received === this.#plan.exitAfter) this.close()
    else if (this.#inputEnded) this.#await()
  }

  #await(): void {
    clearTimeout(this.#quiet)
    if (this.#plan.wait !== Infinity) this.#quiet = setTimeout(() => this.close(), this.#plan.wait)
  }
}

export function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
