/**
 * Traffic of connections that come and go: TCP, the opening handshake, the closing handshake begun by the client, and the end of TCP,
 * for which it waits, as the server is the one to close first (RFC 6455 section 7.1.1).
 */
import { connect } from 'node:net'
import type { Scenario } from '../scenarios.ts'
import { OPCODE, clientFrame } from './frames.ts'
import { checkAnswer, openingRequest } from './link.ts'
import type { Target } from './link.ts'
import { WrongReply } from './plan.ts'
import type { Plan } from './plan.ts'
import { failure } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** Addresses that connections come from, in turn: a port that was used cannot be used again for a minute. */
const ADDRESSES = 100
const PATIENCE = 10_000
const NORMAL = Buffer.from([0x03, 0xe8])

export async function openChurn({ scenario }: Plan, target: Target): Promise<Traffic> {
  const churn = new Churn(scenario, target)
  // One by one, and looked at as a whole.
  for (let each = 0; each < 3; each++) await churn.checkOne()
  return churn
}

class Churn implements Traffic {
  count = 0
  readonly octets = 0
  answered: (due: number) => void = () => {}
  readonly failure: Promise<never>
  readonly #reject: (error: Error) => void
  readonly #atOnce: number
  readonly #target: Target
  readonly #request: Buffer
  readonly #close = clientFrame(NORMAL, { opcode: OPCODE.close })
  readonly #readBuffer = Buffer.allocUnsafeSlow(64 * 1024)
  #turn = 0
  #ended = false

  constructor({ connections, headerOctets }: Scenario, target: Target) {
    this.#atOnce = connections
    this.#target = target
    this.#request = openingRequest(target, undefined, headerOctets)
    const { promise, reject } = failure()
    this.failure = promise
    this.#reject = reject
  }

  run(): void {
    const again = (): void => {
      this.count++
      if (!this.#ended) this.#open(again)
    }
    for (let index = 0; index < this.#atOnce; index++) this.#open(again)
  }

  issue(due: number): number {
    this.#open(() => {
      this.count++
      this.answered(due)
    })
    return 1
  }

  end(): void {
    this.#ended = true
  }

  async checkOne(): Promise<void> {
    const timer = setTimeout(() => this.#reject(new WrongReply('it did not end TCP after both Close frames')), PATIENCE)
    let answer: Buffer = Buffer.alloc(0)
    const keep = (part: Buffer): void => void (answer = Buffer.concat([answer, part]))
    await Promise.race([this.failure, new Promise<void>((resolve) => this.#open(resolve, keep))])
    clearTimeout(timer)
    const start = answer.indexOf('\r\n\r\n') + 4
    checkAnswer(answer.toString('latin1', 0, start))
    const close = answer.subarray(start)
    // 1000 sent back, or no code at all.
    if (!close.equals(Buffer.from('880203e8', 'hex')) && !close.equals(Buffer.from('8800', 'hex'))) {
      throw new WrongReply(`it answers a Close with ${close.toString('hex') || 'nothing'}`)
    }
  }

  #open(done: () => void, keep?: (part: Buffer) => void): void {
    const { host, port } = this.#target
    const bytes = this.#readBuffer
    let opened = false
    let last = 0
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(host.startsWith('127.') && { localAddress: `127.0.0.${2 + (this.#turn++ % ADDRESSES)}` }),
      onread: {
        buffer: bytes,
        callback: (count) => {
          keep?.(Buffer.from(bytes.subarray(0, count)))
          // The head's last octet is a line feed, and nothing is sent behind it before our Close.
          if (!opened && bytes[count - 1] === 10) {
            opened = true
            socket.write(this.#close)
          } else if (opened) {
            last = count
          }
          return true
        },
      },
    })
    socket.write(this.#request)
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => {
      if (!opened) this.#fail(new WrongReply('it ended a connection before the handshake was done'))
      else if (last === 0) this.#fail(new WrongReply('it ended a connection without a Close frame'))
      else done()
    })
  }

  #fail(error: Error): void {
    if (!this.#ended) this.#reject(error)
  }
}
