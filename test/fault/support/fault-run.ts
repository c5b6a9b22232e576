/**
 * Connections of our client with our servers through a proxy that plays a script, one for each, and what both ends have to
 * say of it. What they send, when, and how they end, is made of the seed of the script, too.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { HandshakeError } from '../../../src/errors.ts'
import { connect, serve } from '../../../src/index.ts'
import type { ConnectOptions, ServeOptions, WebSocketServer } from '../../../src/index.ts'
import type { Authority } from '../../support/certificates.ts'
import { FaultProxy } from './fault-proxy.ts'
import { Dice, createScript, isLethal, isSilent } from './fault-script.ts'
import type { Script } from './fault-script.ts'
import { FaultSide } from './fault-side.ts'

/** Nothing that a script does lasts that long, and no time-out does. */
const LONGEST = 20_000
/** Where one end loses sight of the other for good, it notices soon. Where none does, no time-out may strike. */
const IMPATIENT = {
  heartbeat: { interval: 100, timeout: 100 },
  closeTimeout: 200,
  frameTimeout: 300,
  handshakeTimeout: 300,
}
const PATIENT = { heartbeat: { interval: 10_000, timeout: 10_000 }, handshakeTimeout: 10_000 }

/** A script that did not go well. */
export interface Failure {
  readonly seed: number
  readonly script: Script
  readonly problems: readonly string[]
}

export class FaultStage {
  /** How ends were explained, and how often. */
  readonly outcomes: Map<string, number> = new Map()
  readonly #authority: Authority
  readonly #servers = new Map<string, WebSocketServer<FaultSide>>()
  readonly #sides = new Map<string, FaultSide>()

  constructor(authority: Authority) {
    this.#authority = authority
  }

  async open(): Promise<void> {
    const certificate = await this.#authority.issue()
    for (const secure of [false, true]) {
      for (const silent of [false, true]) {
        const options: ServeOptions<FaultSide> = {
          ...FaultSide.handler,
          ...(silent ? IMPATIENT : PATIENT),
          ...(secure ? { tls: certificate } : {}),
          host: '127.0.0.1',
          perMessageDeflate: { threshold: 100 },
          upgrade: ({ query }) => {
            const data = this.#sides.get(query.get('run') ?? '')
            // The client may have given up before its request has come here.
            return data === undefined ? { status: 410 } : { data }
          },
        }
        this.#servers.set(`${secure} ${silent}`, await serve(options))
      }
    }
  }

  /** What the servers have of connections, handshakes and octets, which is nothing when all scripts are over. */
  get left(): number {
    let sum = 0
    for (const server of this.#servers.values()) {
      const { connections, pendingHandshakes, bufferedAmount } = server.stats()
      sum += server.connections.size + connections + pendingHandshakes + bufferedAmount
    }
    return sum
  }

  async close(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.shutdown({ timeout: 0 })))
  }

  /** Plays the script of `seed`; answers what went wrong, if anything did. */
  async play(seed: number): Promise<Failure | undefined> {
    const dice = new Dice(seed)
    const script = createScript(dice)
    const secure = dice.once(8)
    const silent = isSilent(script)
    const client = new FaultSide('client', new Dice(seed + 1))
    const server = new FaultSide('server', new Dice(seed + 2))
    client.meet(server)
    this.#sides.set(`${seed}`, server)
    const proxy = await FaultProxy.listen(this.#servers.get(`${secure} ${silent}`)!.port!, script)
    const problems: string[] = []
    const over = converse(`${secure ? 'wss' : 'ws'}://localhost:${proxy.port}/?run=${seed}`, client, server, {
      ...FaultSide.handler,
      ...(silent ? IMPATIENT : PATIENT),
      data: client,
      family: 4,
      perMessageDeflate: dice.once(2),
      oneAtATime: false,
      tls: { ca: this.#authority.cert },
    })
    const timeout = new AbortController()
    const late = delay(LONGEST, undefined, timeout).catch(() => {})
    const error = await Promise.race([over, late.then(() => new Error(`it was not over in ${LONGEST / 1000} s`))])
    timeout.abort()
    await proxy.close()
    this.#sides.delete(`${seed}`)
    client.check()
    server.check()
    if (error !== undefined && !(error instanceof HandshakeError)) problems.push(`${error.stack}`)
    if (!isLethal(script) && !client.terminated && !server.terminated) {
      if (error !== undefined) problems.push(`nothing fatal happened, but the handshake failed: ${error.message}`)
      for (const { info } of [client, server]) {
        if (info?.wasClean === false) problems.push(`nothing fatal happened, but one end says ${JSON.stringify(info)}`)
      }
    }
    problems.push(...client.problems, ...server.problems)
    this.#count(error, client)
    return problems.length > 0 ? { seed, script, problems } : undefined
  }

  #count(error: Error | undefined, { info }: FaultSide): void {
    const how = error instanceof HandshakeError ? error.code : `${info?.code} from ${info?.initiator}`
    this.outcomes.set(how, (this.outcomes.get(how) ?? 0) + 1)
  }
}

/** Settles when all is over, with what the handshake failed with, if it did. */
async function converse(
  url: string,
  client: FaultSide,
  server: FaultSide,
  options: ConnectOptions<FaultSide>,
): Promise<Error | undefined> {
  try {
    const ws = await connect(url, options)
    await client.done
    // It may be open here and never be there, or later.
    await server.done
    // If nobody has ended it.
    void ws.close(1000)
    await client.closed
    return undefined
  } catch (error) {
    return error as Error
  } finally {
    if (server.ws !== undefined) await server.closed
    await Promise.all([client.settled, server.settled])
  }
}
