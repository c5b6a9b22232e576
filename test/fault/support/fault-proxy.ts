/**
 * A proxy of TCP between a client and a server that plays a `Script`: it delays, splits, merges, stalls, cuts, resets and
 * swallows what passes through it. It knows nothing of what that is.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Fault, Script } from './fault-script.ts'

/** Milliseconds after which octets pass that were to be merged with others, which do not come. */
const PATIENCE = 5

export class FaultProxy {
  readonly #listener: Server
  readonly #target: number
  readonly #script: Script
  readonly #sockets = new Set<Socket>()
  #toServer: Lane | undefined = undefined
  #toClient: Lane | undefined = undefined

  /** Listens at a free port of 127.0.0.1, and connects to port `target` there. */
  static async listen(target: number, script: Script): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, script)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  constructor(target: number, script: Script) {
    this.#target = target
    this.#script = script
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#take(client))
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Octets that have come of the latest connection, by direction. */
  get passed(): Record<keyof Script, number> {
    return { toServer: this.#toServer?.at ?? 0, toClient: this.#toClient?.at ?? 0 }
  }

  async close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #take(client: Socket): void {
    // It may have been accepted already when we stopped to listen.
    if (!this.#listener.listening) return void client.destroy()
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    }
    tie(client, server)
    tie(server, client)
    this.#toServer = new Lane(client, server, this.#script.toServer)
    this.#toClient = new Lane(server, client, this.#script.toClient)
    void this.#toServer.run()
    void this.#toClient.run()
  }
}

/** What fails at one end fails at the other. */
function tie(one: Socket, other: Socket): void {
  one.on('error', () => reset(other))
  // With both its halves ended it has passed all on; the other has, too, or nobody is left to hear it.
  one.on('close', () => {
    if (!one.writableFinished || !one.readableEnded) other.destroy()
  })
}

/** Where our FIN is on its way Node cannot reset any more, and never closes a socket that is asked to. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}

/** One direction. */
class Lane {
  /** Octets that have come up to where we are, those that are held back included. */
  at = 0
  readonly #from: Socket
  readonly #to: Socket
  readonly #faults: readonly Fault[]
  readonly #gone: Promise<unknown>
  #next = 0
  /** Up to there octets pass in pieces of that size. */
  #splitUntil = 0
  #size = 1
  /** Up to there octets are held back, or until the timer runs out. */
  #holdUntil = 0
  #held: Buffer[] = []
  #timer: NodeJS.Timeout | undefined = undefined

  constructor(from: Socket, to: Socket, faults: readonly Fault[]) {
    this.#from = from
    this.#to = to
    this.#faults = faults
    this.#gone = new Promise((resolve) => void to.once('close', resolve))
  }

  async run(): Promise<void> {
    try {
      let passes = await this.#sufferAll()
      if (!passes) return
      for await (const chunk of this.#from.iterator({ destroyOnReturn: false })) {
        passes = await this.#pass(chunk as Buffer)
        if (!passes) return
      }
      this.#release()
      this.#to.end()
    } catch {
      // An end has failed, and `tie` has seen to the other.
    }
  }

  /** Answers whether anything passes after that. */
  async #pass(chunk: Buffer): Promise<boolean> {
    for (let rest = chunk; rest.length > 0;) {
      const split = this.at < this.#splitUntil
      const most = Math.min(
        (this.#faults[this.#next]?.at ?? Infinity) - this.at,
        split ? Math.min(this.#size, this.#splitUntil - this.at) : Infinity,
      )
      const piece = rest.subarray(0, most)
      rest = rest.subarray(piece.length)
      this.at += piece.length
      this.#held.push(piece)
      if (this.at >= this.#holdUntil) await this.#forward()
      else this.#timer ??= setTimeout(() => this.#release(), PATIENCE)
      // So that the pieces are read one by one: what is read comes between two turns, not always within one.
      if (split) await turn().then(() => turn())
      const passes = await this.#sufferAll()
      if (!passes) return false
    }
    return true
  }

  async #forward(): Promise<void> {
    if (!this.#release()) await Promise.race([once(this.#to, 'drain'), this.#gone])
  }

  /** Lets pass what was held back; answers as `write` does. */
  #release(): boolean {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#holdUntil = 0
    const held = this.#held
    this.#held = []
    return held.length === 0 || !this.#to.writable || this.#to.write(Buffer.concat(held))
  }

  async #sufferAll(): Promise<boolean> {
    for (; this.#faults[this.#next]?.at <= this.at; this.#next++) {
      const passes = await this.#suffer(this.#faults[this.#next])
      if (!passes) return false
    }
    return true
  }

  /** Answers whether anything passes after that. */
  async #suffer(fault: Fault): Promise<boolean> {
    if (fault.kind === 'split') {
      this.#size = fault.size
      this.#splitUntil = this.at + fault.size * fault.pieces
      return true
    }
    this.#release()
    if (fault.kind === 'delay') {
      this.#holdUntil = Infinity
      this.#timer = setTimeout(() => this.#release(), fault.time)
    } else if (fault.kind === 'merge') {
      this.#holdUntil = this.at + fault.octets
    } else if (fault.kind === 'stall') {
      await delay(fault.time)
    } else {
      this.#end(fault.kind)
      return false
    }
    return true
  }

  #end(kind: 'silence' | 'fin' | 'cut' | 'reset'): void {
    if (kind === 'fin') {
      this.#to.end()
      this.#from.resume()
    } else if (kind === 'cut') {
      this.#to.destroySoon()
      this.#from.destroySoon()
    } else if (kind === 'reset') {
      reset(this.#to)
      reset(this.#from)
    }
  }
}
