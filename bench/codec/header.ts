/** The frame header, read and written. ws reads it in steps of its receiver, and writes it into memory of its own. */
import { sizeName } from './case.ts'
import type { Case, Way } from './case.ts'
import type { Ours, Ws } from './parts.ts'

const SIZES = [32, 1024, 65_536]
const FIN_BINARY = 0x82
const MASKING_KEY = 0x04030201
const EXTENDED_16 = 1
const EXTENDED_64 = 2

export function headerCases({ framing }: Ours, ws: Ws): Case[] {
  return SIZES.flatMap((size) => [readCase(framing, ws, size), writeCase(framing, ws, size)])
}

function readCase(framing: Ours['framing'], ws: Ws, size: number): Case {
  const { readFrameHeader } = framing
  const bytes = Buffer.alloc(14)
  const wire = bytes.subarray(0, framing.writeFrameHeader(bytes, 0, FIN_BINARY, size, MASKING_KEY))
  const header = new framing.FrameHeader()
  const run = (): number => readFrameHeader(wire, 0, header)
  const ours: Way = {
    run,
    result() {
      Object.assign(header, new framing.FrameHeader())
      run()
      const { fin, opcode, masked, payloadLength } = header
      return { fin, opcode, masked, payloadLength, key: header.maskingKey }
    },
  }
  const expected = { fin: true, opcode: 2, masked: true, payloadLength: size, key: MASKING_KEY }
  const name = `read, for ${sizeName(size)}, masked`
  return { group: 'header', name, expected, ways: { fullduplex: ours, ws: wsReading(ws, wire) } }
}

function wsReading(ws: Ws, wire: Buffer): Way {
  const options = { isServer: true, maxPayload: 2 ** 30, maxFragments: 0, maxBufferedChunks: 0 }
  const receiver = new ws.Receiver(options)
  const fail = (): never => {
    throw new Error('ws refuses the header')
  }
  const run = (): void => {
    receiver._buffers.push(wire)
    receiver._bufferedBytes = wire.length
    receiver._totalPayloadLength = 0
    receiver._state = 0
    receiver.getInfo(fail)
    if (receiver._state === EXTENDED_16) receiver.getPayloadLength16(fail)
    else if (receiver._state === EXTENDED_64) receiver.getPayloadLength64(fail)
    receiver.getMask()
  }
  return {
    run,
    result() {
      run()
      const { _fin: fin, _opcode: opcode, _masked: masked, _payloadLength: payloadLength } = receiver
      return { fin, opcode, masked, payloadLength, key: receiver._mask.readInt32LE(0) }
    },
  }
}

function writeCase(framing: Ours['framing'], ws: Ws, size: number): Case {
  const { writeFrameHeader } = framing
  const { Sender } = ws
  const slab = Buffer.alloc(64)
  const ours: Way = {
    run: () => writeFrameHeader(slab, 0, FIN_BINARY, size, undefined),
    result: () => Buffer.from(slab.subarray(0, writeFrameHeader(slab.fill(0), 0, FIN_BINARY, size, undefined))),
  }
  const data = Buffer.alloc(size)
  const options = { fin: true, rsv1: false, opcode: 2, mask: false, readOnly: true }
  const theirs: Way = {
    run: () => Sender.frame(data, options),
    result: () => Buffer.from(Sender.frame(data, options)[0]),
  }
  const expected = Buffer.alloc(framing.frameHeaderSize(size, false))
  expected[0] = FIN_BINARY
  expected[1] = size < 126 ? size : size < 65_536 ? 126 : 127
  if (expected.length === 4) expected.writeUInt16BE(size, 2)
  if (expected.length === 10) expected.writeBigUInt64BE(BigInt(size), 2)
  const name = `write, for ${sizeName(size)}`
  return { group: 'header', name, expected, ways: { fullduplex: ours, ws: theirs } }
}
