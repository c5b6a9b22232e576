/**
 * A capture that Wireshark and tshark open (draft-ietf-opsawg-pcapng): with the frames as they were on the wire, masked and
 * compressed, even where that was inside TLS.
 *
 * What is around them has been made up: IP and TCP, with the real addresses and ports as far as they are known, and for
 * each connection the handshakes of TCP and of WebSocket, by which readers find out what it is. The comment of the capture
 * says so.
 */
import type { Writable } from 'node:stream'
import type { Connection, TappedFrame } from '../connection/index.ts'
import { applyMask } from '../framing/index.ts'
import { acceptKey } from '../handshake/index.ts'
import { endpointsOf } from './endpoints.ts'
import { Conversation } from './segments.ts'
import type { End, Packet } from './segments.ts'
import { keyOctets, sinkTo } from './sink.ts'
import type { Sink, SinkOptions } from './sink.ts'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const BYTE_ORDER = 0x1a2b3c4d
/** Packets begin with their IP header. */
const LINKTYPE_RAW = 101
const OPT_COMMENT = 1
const SHB_USERAPPL = 4
const EPB_DROPCOUNT = 4
const TWO_TO_32 = 0x1_0000_0000
const COMMENT =
  'The frames are as they were on the wire. IP, TCP and the opening handshakes around them were made up for this capture.'

/** The nonce of the example in RFC 6455 1.3: that of the connection is not known any more. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** A tap that writes a capture. For frames of more than 1 MiB to be whole give the tap a larger `maxPayload`. */
export function pcapng(to: Writable, options: SinkOptions = {}): Sink {
  const conversations = new WeakMap<Connection, Conversation>()
  let connections = 0
  const sink = sinkTo(to, options, (frame, missing) => {
    const { connection, at, direction } = frame
    const packets: Packet[] = []
    let conversation = conversations.get(connection)
    if (conversation === undefined) {
      conversation = new Conversation(endpointsOf(connection, connections++))
      conversations.set(connection, conversation)
      packets.push(...opening(conversation, connection))
    }
    const octets = frameOctets(frame)
    const length = octets.length + frame.payloadLength - frame.payload.length
    packets.push(...conversation.send(senderOf(connection, direction), octets, length))
    return Buffer.concat(packets.map((packet, index) => packetBlock(packet, at, index === 0 ? missing : 0)))
  })
  to.write(Buffer.concat([sectionHeader(), interfaceDescription()]))
  return sink
}

function senderOf({ settings: { role } }: Connection, direction: 'in' | 'out'): End {
  if (direction === 'out') return role
  return role === 'client' ? 'server' : 'client'
}

/** The handshakes of TCP and of WebSocket (RFC 6455 1.3), with what was agreed upon. */
function opening(conversation: Conversation, { protocol, extensions }: Connection): Packet[] {
  const agreed: string[] = []
  if (protocol !== '') agreed.push(`Sec-WebSocket-Protocol: ${protocol}`)
  if (extensions !== '') agreed.push(`Sec-WebSocket-Extensions: ${extensions}`)
  const request = ['GET / HTTP/1.1', 'Host: unknown', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 13']
  const answer = ['HTTP/1.1 101 Switching Protocols', `Sec-WebSocket-Accept: ${acceptKey(KEY)}`]
  const head = (lines: readonly string[]): Buffer =>
    Buffer.from([...lines, 'Upgrade: websocket', 'Connection: Upgrade', ...agreed, '', ''].join('\r\n'), 'latin1')
  const packets = conversation.open()
  packets.push(...conversation.send('client', head(request)), ...conversation.send('server', head(answer)))
  return packets
}

/** The frame as it was on the wire (RFC 6455 5.2), as far as its payload was kept. */
function frameOctets(frame: TappedFrame): Buffer {
  const { fin, rsv1, rsv2, rsv3, opcode, maskingKey, extendedLength, payloadLength } = frame
  const first = (fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | (rsv2 ? 0x20 : 0) | (rsv3 ? 0x10 : 0) | opcode
  const length = extendedLength === 0 ? payloadLength : extendedLength === 2 ? 126 : 127
  const extended = Buffer.alloc(extendedLength)
  if (extendedLength === 2) extended.writeUInt16BE(payloadLength)
  if (extendedLength === 8) {
    // A length close to 2^64 has been rounded up to it.
    extended.writeUInt32BE(Math.min(Math.floor(payloadLength / TWO_TO_32), TWO_TO_32 - 1))
    extended.writeUInt32BE(payloadLength % TWO_TO_32, 4)
  }
  if (maskingKey === undefined) return Buffer.concat([Buffer.from([first, length]), extended, frame.payload])
  const payload = Buffer.from(frame.payload)
  applyMask(payload, 0, payload.length, maskingKey)
  return Buffer.concat([Buffer.from([first, 0x80 | length]), extended, keyOctets(maskingKey), payload])
}

function sectionHeader(): Buffer {
  const fields = Buffer.alloc(16)
  fields.writeUInt32LE(BYTE_ORDER, 0)
  // Version 1.0, of a length that is not known yet.
  fields.writeUInt16LE(1, 4)
  fields.fill(0xff, 8)
  const comment = option(OPT_COMMENT, Buffer.from(COMMENT))
  return block(SECTION_HEADER, fields, comment, option(SHB_USERAPPL, Buffer.from('fullduplex')), END_OF_OPTIONS)
}

/** Packets of any length, and times in microseconds. */
function interfaceDescription(): Buffer {
  const fields = Buffer.alloc(8)
  fields.writeUInt16LE(LINKTYPE_RAW, 0)
  return block(INTERFACE_DESCRIPTION, fields)
}

/** `missing` frames were dropped before it. */
function packetBlock({ bytes, length }: Packet, at: number, missing: number): Buffer {
  const fields = Buffer.alloc(20)
  const microseconds = at * 1000
  fields.writeUInt32LE(Math.floor(microseconds / TWO_TO_32), 4)
  fields.writeUInt32LE(microseconds % TWO_TO_32, 8)
  fields.writeUInt32LE(bytes.length, 12)
  fields.writeUInt32LE(length, 16)
  if (missing === 0) return block(ENHANCED_PACKET, fields, padded(bytes))
  const count = Buffer.alloc(8)
  count.writeUInt32LE(missing)
  return block(ENHANCED_PACKET, fields, padded(bytes), option(EPB_DROPCOUNT, count), END_OF_OPTIONS)
}

const END_OF_OPTIONS = Buffer.alloc(4)

function option(code: number, value: Buffer): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt16LE(code, 0)
  header.writeUInt16LE(value.length, 2)
  return Buffer.concat([header, padded(value)])
}

/** Its length stands in front of it and behind it. */
function block(type: number, ...body: readonly Buffer[]): Buffer {
  const content = Buffer.concat(body)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(content.length + 12)
  const header = Buffer.alloc(4)
  header.writeUInt32LE(type)
  return Buffer.concat([header, length, content, length])
}

/** To a boundary of 32 bits. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
