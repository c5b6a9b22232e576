/**
 * Messages compressed as a client does it (RFC 7692), before anything is measured: a cycle of different ones, each of which refers
 * back to those before it. The first refers to nothing, so that the cycle can begin again without end.
 */
import { constants, createDeflateRaw, inflateRawSync } from 'node:zlib'
import type { Scenario } from '../scenarios.ts'
import type { Source } from './echoes.ts'
import { OPCODE, clientFrame, jsonOf } from './frames.ts'
import { WrongReply } from './plan.ts'
import type { Reply } from './incoming.ts'

/** Batches in a cycle. */
const BATCHES = 20
/** Cycles that differ; connections beyond that share them. */
const CYCLES = 8
const WINDOW = 32 * 1024
const TAIL = Buffer.from('0000ffff', 'hex')

interface Cycle {
  readonly messages: readonly Buffer[]
  readonly frames: readonly Buffer[]
}

interface CompressedMessages {
  readonly source: Source
  /** What is sent to check the program: the whole cycle and the beginning of the next one, or one batch; then what is checked. */
  check(whole: boolean): [sent: Buffer, count: number, check: (reply: Reply, index: number) => void]
}

const cycles = new Map<string, Promise<Cycle>>()

export async function compressedCycle(
  { size, depth }: Scenario,
  index: number,
  extensions: string,
): Promise<CompressedMessages> {
  const context = !extensions.includes('client_no_context_takeover')
  const key = `${index % CYCLES} ${context}`
  const made = cycles.get(key) ?? makeCycle(size, depth * BATCHES, index % CYCLES, context)
  cycles.set(key, made)
  const { messages, frames } = await made
  const batches = Array.from({ length: BATCHES }, (_, batch) =>
    Buffer.concat(frames.slice(batch * depth, (batch + 1) * depth)),
  )
  let next = 0
  return {
    source: () => batches[next++ % BATCHES],
    check(whole) {
      const turns = whole ? BATCHES + 1 : 1
      next = turns
      const sent = Buffer.concat(Array.from({ length: turns }, (_, batch) => batches[batch % BATCHES]))
      const inflate = inflater()
      return [
        sent,
        turns * depth,
        (reply, at) => {
          const { opcode } = reply
          if (opcode !== OPCODE.text) throw new WrongReply(`its reply has opcode ${opcode}, not that of text`)
          if (!inflate(reply).equals(messages[at % messages.length])) {
            throw new WrongReply(`its reply to message ${at + 1} has other octets, inflated`)
          }
        },
      ]
    },
  }
}

async function makeCycle(size: number, count: number, seed: number, context: boolean): Promise<Cycle> {
  const messages = Array.from({ length: count }, (_, index) => jsonOf(size, seed * count + index))
  const deflate = createDeflateRaw()
  const frames: Buffer[] = []
  for (const message of messages) {
    const parts: Buffer[] = []
    const keep = (part: Buffer): void => void parts.push(part)
    deflate.on('data', keep)
    deflate.write(message)
    await new Promise<void>((resolve) => {
      deflate.flush(context ? constants.Z_SYNC_FLUSH : constants.Z_FULL_FLUSH, resolve)
    })
    deflate.off('data', keep)
    const compressed = Buffer.concat(parts)
    frames.push(clientFrame(compressed.subarray(0, -TAIL.length), { opcode: OPCODE.text, rsv1: true }))
  }
  deflate.close()
  return { messages, frames }
}

/** Inflates the messages of one connection in their order; what they refer back to is kept. */
function inflater(): (reply: Reply) => Buffer {
  let window: Buffer = Buffer.alloc(0)
  return ({ rsv1, payload }) => {
    if (!rsv1) return payload
    const message = inflateRawSync(Buffer.concat([payload, TAIL]), {
      dictionary: window,
      finishFlush: constants.Z_SYNC_FLUSH,
    })
    window = Buffer.concat([window, message]).subarray(-WINDOW)
    return message
  }
}
