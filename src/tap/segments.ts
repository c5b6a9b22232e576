/**
 * TCP as it may have carried a connection (RFC 9293), in packets of IP (RFC 791, RFC 8200): what those who read captures
 * need around the octets that did cross the wire.
 */

export interface Endpoint {
  /** 4 octets, or 16; both ends have as many. */
  readonly address: Buffer
  readonly port: number
}

/** A packet of `length` octets, of which the first were kept. */
export interface Packet {
  readonly bytes: Buffer
  readonly length: number
}

export type End = 'client' | 'server'

const SYN = 0x02
const PSH = 0x08
const ACK = 0x10
const TCP_HEADER = 20
const IPV4_HEADER = 20
const IPV6_HEADER = 40
const IPV4_ADDRESS = 4
const TCP = 6
const HOP_LIMIT = 64
const WINDOW = 0xffff
const TWO_TO_32 = 0x1_0000_0000
/** Octets of a segment: the length of a packet has 16 bits. */
const MAX_SEGMENT = 65_000
const EMPTY = Buffer.alloc(0)

/** One TCP connection. Everything is acknowledged at once, with what the other end sends next. */
export class Conversation {
  readonly #ends: Readonly<Record<End, Endpoint>>
  /** The next sequence number of each end. */
  readonly #next: Record<End, number> = { client: 0, server: 0 }

  constructor(ends: Readonly<Record<End, Endpoint>>) {
    this.#ends = ends
  }

  /** The three-way handshake (RFC 9293 3.5); a SYN takes one sequence number. */
  open(): Packet[] {
    const syn = this.#segment('client', SYN, EMPTY)
    this.#advance('client', 1)
    const answer = this.#segment('server', SYN | ACK, EMPTY)
    this.#advance('server', 1)
    return [syn, answer, this.#segment('client', ACK, EMPTY)]
  }

  /** `length` octets, of which the first are at hand; of the others, what does not fit the last packet is left out. */
  send(from: End, octets: Buffer, length: number = octets.length): Packet[] {
    const packets: Packet[] = []
    let sent = 0
    for (let at = 0; at < octets.length; at += MAX_SEGMENT) {
      const size = Math.min(length - at, MAX_SEGMENT)
      packets.push(this.#segment(from, PSH | ACK, octets.subarray(at, at + MAX_SEGMENT), size))
      this.#advance(from, size)
      sent += size
    }
    this.#advance(from, length - sent)
    return packets
  }

  #advance(end: End, octets: number): void {
    this.#next[end] = (this.#next[end] + octets) % TWO_TO_32
  }

  #segment(from: End, flags: number, data: Buffer, length: number = data.length): Packet {
    const to = from === 'client' ? 'server' : 'client'
    const [source, destination] = [this.#ends[from], this.#ends[to]]
    const header = Buffer.alloc(TCP_HEADER)
    header.writeUInt16BE(source.port, 0)
    header.writeUInt16BE(destination.port, 2)
    header.writeUInt32BE(this.#next[from], 4)
    if ((flags & ACK) !== 0) header.writeUInt32BE(this.#next[to], 8)
    header[12] = (TCP_HEADER / 4) << 4
    header[13] = flags
    header.writeUInt16BE(WINDOW, 14)
    const size = TCP_HEADER + length
    const bytes = Buffer.concat([header, data])
    // Of a segment that is not whole nobody can tell it.
    if (bytes.length === size) bytes.writeUInt16BE(checksum(bytes, pseudoHeaderSum(source, destination, size)), 16)
    const ipHeader = ipHeaderOf(source, destination, size)
    return { bytes: Buffer.concat([ipHeader, bytes]), length: ipHeader.length + size }
  }
}

/** Of a packet that carries `size` octets of TCP. */
function ipHeaderOf(source: Endpoint, destination: Endpoint, size: number): Buffer {
  const isIpv4 = source.address.length === IPV4_ADDRESS
  const header = Buffer.alloc(isIpv4 ? IPV4_HEADER : IPV6_HEADER)
  if (isIpv4) {
    header[0] = 0x45
    header.writeUInt16BE(IPV4_HEADER + size, 2)
    // Don't fragment.
    header[6] = 0x40
    header[8] = HOP_LIMIT
    header[9] = TCP
    source.address.copy(header, 12)
    destination.address.copy(header, 16)
    header.writeUInt16BE(checksum(header), 10)
  } else {
    header[0] = 0x60
    header.writeUInt16BE(size, 4)
    header[6] = TCP
    header[7] = HOP_LIMIT
    source.address.copy(header, 8)
    destination.address.copy(header, 24)
  }
  return header
}

/** What the checksum of TCP takes from IP (RFC 9293 3.1). */
function pseudoHeaderSum(source: Endpoint, destination: Endpoint, size: number): number {
  return sumOf(source.address) + sumOf(destination.address) + TCP + size
}

function sumOf(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at++) sum += at % 2 === 0 ? bytes[at] << 8 : bytes[at]
  return sum
}

/** RFC 1071 */
function checksum(bytes: Buffer, initial = 0): number {
  let sum = initial + sumOf(bytes)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
