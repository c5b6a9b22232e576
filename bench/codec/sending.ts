/**
 * Messages to frames in memory that all sends share, as our connections have it: ours by `writeMessage`, ws by its
 * `Sender` with a socket that puts the strings it is handed into such memory, as libuv does, and takes octets as they are.
 * The limit is the payload alone, written to memory.
 */
import type { Case, Way } from './case.ts'
import { sizeName } from './case.ts'
import type { Ours, Ws } from './parts.ts'
import { ascii, octetsOf, scripts } from './samples.ts'

interface Message {
  readonly name: string
  readonly data: string | Buffer
}

type Pieces = Buffer[]

const SLAB = 262_144
/** Octets beyond which a server's go on as they lie there. */
const COPIED_UP_TO = 16_384

export function sendingCases(ours: Ours, ws: Ws): Case[] {
  const texts = [
    text('text, 32 B', ascii(32)),
    text('text, 1 KiB', ascii(1024)),
    text('text of many scripts, 1 KiB', scripts(1024)),
    text('text, 64 KiB', ascii(65_536)),
  ]
  const binaries = [32, 1024, 65_536, 1_048_576].map((size): Message => {
    return { name: `binary, ${sizeName(size)}`, data: octetsOf(size) }
  })
  const messages = [...texts, ...binaries]
  return [false, true].flatMap((masked) => messages.map((message) => sendingCase(ours, ws, message, masked)))
}

function text(name: string, bytes: Buffer): Message {
  return { name, data: bytes.toString() }
}

function sendingCase(ours: Ours, ws: Ws, { name, data }: Message, masked: boolean): Case {
  const opcode = typeof data === 'string' ? ours.framing.Opcode.Text : ours.framing.Opcode.Binary
  const result = (send: (kept: Pieces) => void) => (): unknown => {
    const pieces: Pieces = []
    send(pieces)
    return contents(ours, Buffer.concat(pieces))
  }
  return {
    group: 'writing',
    name: `${masked ? 'client' : 'server'}, ${name}`,
    expected: { fin: true, opcode, masked, payload: Buffer.from(data) },
    ways: {
      fullduplex: ourWay(ours, data, opcode, masked, result),
      ws: wsWay(ws, data, masked, result),
      // What is passed on by reference takes no writing.
      ...((masked || Buffer.byteLength(data) <= COPIED_UP_TO || typeof data === 'string') && {
        limit: { run: writing(data) },
      }),
    },
  }
}

type Keep = (send: (kept: Pieces) => void) => () => unknown

function ourWay({ framing }: Ours, data: string | Buffer, opcode: number, masked: boolean, result: Keep): Way {
  const { writeMessage } = framing
  const slab = new Slab()
  return {
    run: () => writeMessage(slab, opcode, data, masked, Infinity),
    result: result((kept) => {
      const list = new framing.FrameList()
      writeMessage(list, opcode, data, masked, Infinity)
      kept.push(...list.frames)
    }),
  }
}

/** As the output of a connection: small frames share memory, large ones have their own, and what is pushed stays where it is. */
class Slab {
  bytes: Buffer = Buffer.alloc(0)
  last: Buffer | undefined = undefined
  readonly #shared = Buffer.alloc(SLAB)
  #at = 0

  claim(size: number): number {
    if (size > SLAB) {
      this.bytes = Buffer.allocUnsafeSlow(size)
      return 0
    }
    const at = this.claimUpTo(size)
    this.settle(size)
    return at
  }

  claimUpTo(size: number): number {
    this.bytes = this.#shared
    if (this.#at + size > SLAB) this.#at = 0
    return this.#at
  }

  settle(size: number): void {
    this.#at += size
  }

  push(bytes: Buffer): void {
    this.last = bytes
  }
}

function wsWay(ws: Ws, data: string | Buffer, mask: boolean, result: Keep): Way {
  const options = { binary: typeof data !== 'string', compress: false, fin: true, mask }
  const slab = Buffer.alloc(SLAB)
  const state: { at: number; last: Buffer | undefined; kept: Pieces | undefined } = {
    at: 0,
    last: undefined,
    kept: undefined,
  }
  const sender = new ws.Sender({
    cork() {},
    write(bytes) {
      if (typeof bytes === 'string') {
        // Three octets at most for each unit of UTF-16.
        if (state.at + 3 * bytes.length > SLAB) state.at = 0
        state.at += slab.write(bytes, state.at)
      } else {
        state.last = bytes
      }
      if (state.kept !== undefined) state.kept.push(Buffer.from(bytes))
    },
    uncork() {},
  })
  return {
    run: () => sender.send(data, options),
    result: result((kept) => {
      state.kept = kept
      sender.send(data, options)
      state.kept = undefined
    }),
  }
}

function writing(data: string | Buffer): () => unknown {
  if (typeof data === 'string') {
    const slab = Buffer.alloc(3 * data.length)
    return () => slab.write(data, 0)
  }
  const slab = Buffer.alloc(data.length)
  return () => data.copy(slab, 0)
}

/** What the one frame says. The masking key is another each time. */
function contents({ framing }: Ours, bytes: Buffer): unknown {
  const header = new framing.FrameHeader()
  const start = framing.readFrameHeader(bytes, 0, header)
  framing.applyMaskPlain(bytes, start, bytes.length, header.maskingKey)
  const { fin, opcode, masked } = header
  return { fin, opcode, masked, payload: bytes.subarray(start, start + header.payloadLength) }
}
