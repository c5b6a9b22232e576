/** Traffic of one that sends and many that receive, itself among them. */
import type { Scenario } from '../scenarios.ts'
import { OPCODE, clientMessage, payloadOf } from './frames.ts'
import { openAll, openingRequest } from './link.ts'
import type { Link, Target } from './link.ts'
import { WrongReply } from './plan.ts'
import type { Plan } from './plan.ts'
import { FrameCounter, MessageReader } from './incoming.ts'
import { failure } from './traffic.ts'
import type { Traffic } from './traffic.ts'

const PATIENCE = 20_000
/** Broadcasts of the check. */
const CHECKED = 3

export async function openBroadcasts({ scenario, check }: Plan, target: Target): Promise<Traffic> {
  const links = await openAll(scenario.connections, target, openingRequest(target))
  for (let index = 0; index < CHECKED; index++) await checkOne(links, scenario, check === 'same' ? 0 : index)
  return new Broadcasts(scenario, links)
}

/** One broadcast that has to reach all, in every octet. */
async function checkOne(links: readonly Link[], { kind, size }: Scenario, index: number): Promise<void> {
  const payload = payloadOf(kind, size, index)
  const opcode = OPCODE[kind]
  let reached = 0
  const arrivals = links.map((link) => {
    const reader = new MessageReader()
    return new Promise<void>((resolve, reject) => {
      link.failed = reject
      link.receive = (bytes, end) => {
        for (const reply of reader.read(bytes, end)) {
          const same = reply.opcode === opcode && !reply.rsv1 && reply.payload.equals(payload)
          if (!same) throw new WrongReply('what it broadcasts is not what it was sent')
          reached++
          resolve()
        }
      }
    })
  })
  const timer = setTimeout(
    () => links[0].failed(new WrongReply(`a broadcast reached ${reached} of ${links.length} connections`)),
    PATIENCE,
  )
  links[0].socket.write(clientMessage(payload, opcode))
  await Promise.all(arrivals).finally(() => clearTimeout(timer))
}

class Broadcasts implements Traffic {
  count = 0
  answered: (due: number) => void = () => {}
  readonly failure: Promise<never>
  readonly #scenario: Scenario
  readonly #links: readonly Link[]
  readonly #message: Buffer
  readonly #counters: readonly FrameCounter[]
  /** When each message was due. */
  readonly #due: number[] = []

  constructor(scenario: Scenario, links: readonly Link[]) {
    this.#scenario = scenario
    this.#links = links
    this.#message = clientMessage(payloadOf(scenario.kind, scenario.size, 0), OPCODE[scenario.kind])
    this.#counters = links.map(() => new FrameCounter())
    const { promise, reject } = failure()
    this.failure = promise
    for (const [index, link] of links.entries()) {
      const counter = this.#counters[index]
      link.failed = reject
      link.receive = (bytes, end) => {
        const complete = counter.read(bytes, end)
        this.count += complete
        const first = counter.messages - complete
        for (let each = 0; each < complete; each++) this.answered(this.#due[first + each])
      }
    }
  }

  get octets(): number {
    let octets = 0
    for (const counter of this.#counters) octets += counter.octets
    return octets
  }

  /** The next message goes when all have the one that is `depth` before it. */
  run(): void {
    const { depth } = this.#scenario
    const { socket } = this.#links[0]
    const all = this.#links.length
    /** How many have got each of the messages on their way; a message's place is its number modulo `depth`. */
    const arrived = new Uint32Array(depth)
    for (const [index, link] of this.#links.entries()) {
      const counter = this.#counters[index]
      link.receive = (bytes, end) => {
        const complete = counter.read(bytes, end)
        this.count += complete
        for (let number = counter.messages - complete; number < counter.messages; number++) {
          if (++arrived[number % depth] < all) continue
          arrived[number % depth] = 0
          socket.write(this.#message)
        }
      }
    }
    for (let sent = 0; sent < depth; sent++) socket.write(this.#message)
  }

  issue(due: number): number {
    this.#due.push(due)
    this.#links[0].socket.write(this.#message)
    return this.#links.length
  }

  end(): void {
    for (const link of this.#links) link.end()
  }
}
