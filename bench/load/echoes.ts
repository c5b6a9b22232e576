/** Traffic of messages and their replies, on all connections alike: echo, answers, and echo with permessage-deflate. */
import type { Scenario } from '../scenarios.ts'
import { compressedCycle } from './compressed.ts'
import { OPCODE, clientMessage, payloadOf } from './frames.ts'
import { openAll, openCompressed, openingRequest } from './link.ts'
import type { Link, Target } from './link.ts'
import { WrongReply } from './plan.ts'
import type { Plan } from './plan.ts'
import { FrameCounter, MessageReader } from './incoming.ts'
import type { Reply } from './incoming.ts'
import { failure } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** Milliseconds for the replies of the check, which is what the slowest need many times over. */
const PATIENCE = 30_000

/** The messages of a connection, encoded: the next `count` of them. */
export type Source = (count: number) => Buffer

/** Opens the connections, checks what comes back on each, and answers traffic that has not begun. */
export async function openEchoes({ scenario, check }: Plan, target: Target): Promise<Traffic> {
  if (scenario.mode === 'deflate') {
    const links = await openCompressed(scenario.connections, target)
    const cycles = await Promise.all(links.map((link, index) => compressedCycle(scenario, index, link.extensions)))
    for (const [index, link] of links.entries()) await exchange(link, ...cycles[index].check(index === 0))
    return new Echoes(
      scenario,
      links,
      cycles.map(({ source }) => source),
    )
  }
  const { topics } = scenario
  const place = topics === undefined ? target : { ...target, path: `/?topics=${topics}` }
  const links = await openAll(scenario.connections, target, openingRequest(place))
  await Promise.all(links.map((link, index) => checkPlain(link, scenario, check === 'same' ? -1 : index)))
  const source = plainSource(scenario)
  return new Echoes(
    scenario,
    links,
    links.map(() => source),
  )
}

/** The same few messages again and again, for all connections. */
function plainSource({ kind, size, fragment = size, depth }: Scenario): Source {
  const message = clientMessage(payloadOf(kind, size, 0), OPCODE[kind], fragment)
  const all = Buffer.concat(Array.from({ length: depth }, () => message))
  const some = Array.from({ length: depth + 1 }, (_, count) => all.subarray(0, count * message.length))
  return (count) => some[count]
}

/** As many messages as are on their way later, each unlike all others, unless `index` is -1. */
function checkPlain(link: Link, { mode, kind, size, fragment = size, depth }: Scenario, index: number): Promise<void> {
  const payloads = Array.from({ length: depth }, (_, at) =>
    payloadOf(kind, size, index === -1 ? 0 : index * depth + at + 1),
  )
  const sent = Buffer.concat(payloads.map((payload) => clientMessage(payload, OPCODE[kind], fragment)))
  const opcode = mode === 'answer' ? OPCODE.text : OPCODE[kind]
  const expected = payloads.map((payload) => (mode === 'answer' ? Buffer.from(String(size)) : payload))
  return exchange(link, sent, depth, (reply, at) => {
    if (reply.rsv1) throw new WrongReply('it compresses what nobody agreed to compress')
    if (reply.opcode !== opcode) throw new WrongReply(`its reply has opcode ${reply.opcode} where ${opcode} is right`)
    if (!reply.payload.equals(expected[at])) throw new WrongReply(`its reply to message ${at + 1} has other octets`)
  })
}

/** Sends, and hands on as many replies as there have to be. Any more, or any less in time, are wrong. */
function exchange(
  link: Link,
  sent: Buffer,
  count: number,
  check: (reply: Reply, index: number) => void,
): Promise<void> {
  const reader = new MessageReader()
  let received = 0
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => link.failed(new WrongReply(`${received} of ${count} replies came in ${PATIENCE / 1000} s`)),
      PATIENCE,
    )
    link.failed = (error) => {
      clearTimeout(timer)
      reject(error)
    }
    link.receive = (bytes, end) => {
      for (const reply of reader.read(bytes, end)) {
        if (received === count) throw new WrongReply('it sends more replies than it got messages')
        check(reply, received++)
      }
      if (received < count) return
      clearTimeout(timer)
      resolve()
    }
    link.socket.write(sent)
  })
}

class Echoes implements Traffic {
  count = 0
  answered: (due: number) => void = () => {}
  readonly failure: Promise<never>
  readonly #scenario: Scenario
  readonly #links: readonly Link[]
  readonly #sources: readonly Source[]
  readonly #counters: readonly FrameCounter[]
  /** When the messages on their way were due, and how many of them are answered, for each connection. */
  readonly #due: number[][]
  readonly #heads: number[]
  #turn = 0

  constructor(scenario: Scenario, links: readonly Link[], sources: readonly Source[]) {
    this.#scenario = scenario
    this.#links = links
    this.#sources = sources
    this.#counters = links.map(() => new FrameCounter())
    this.#due = links.map(() => [])
    this.#heads = links.map(() => 0)
    const { promise, reject } = failure()
    this.failure = promise
    for (const [index, link] of links.entries()) {
      link.failed = reject
      link.receive = (bytes, end) => this.#answer(index, this.#counters[index].read(bytes, end))
    }
  }

  get octets(): number {
    let octets = 0
    for (const counter of this.#counters) octets += counter.octets
    return octets
  }

  run(): void {
    const { depth, batch } = this.#scenario
    for (const [index, { socket }] of this.#links.entries()) {
      const counter = this.#counters[index]
      const next = this.#sources[index]
      let open = depth
      this.#links[index].receive = (bytes, end) => {
        const complete = counter.read(bytes, end)
        this.count += complete
        open -= complete
        if (batch ? open > 0 : complete === 0) return
        socket.write(next(depth - open))
        open = depth
      }
      socket.write(next(depth))
    }
  }

  issue(due: number): number {
    const { depth, batch } = this.#scenario
    const count = batch ? depth : 1
    const index = this.#turn++ % this.#links.length
    for (let sent = 0; sent < count; sent++) this.#due[index].push(due)
    this.#links[index].socket.write(this.#sources[index](count))
    return count
  }

  end(): void {
    for (const link of this.#links) link.end()
  }

  #answer(index: number, complete: number): void {
    this.count += complete
    for (let each = 0; each < complete; each++) this.answered(this.#due[index][this.#heads[index]++])
  }
}
