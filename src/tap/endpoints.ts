/** Between whom a connection runs, as far as its transport tells. */
import { Socket, isIPv4 } from 'node:net'
import type { Connection } from '../connection/index.ts'
import type { End, Endpoint } from './segments.ts'

/** Addresses for documentation (RFC 5737), for transports that have none. */
const NOWHERE = { client: Buffer.from([192, 0, 2, 1]), server: Buffer.from([192, 0, 2, 2]) }
const HTTP = 80
const HTTPS = 443
const FIRST_EPHEMERAL = 49_152
const EPHEMERAL_PORTS = 65_536 - FIRST_EPHEMERAL

/** `number` tells connections apart whose transport has no addresses, as on a Unix socket, or that has closed already. */
export function endpointsOf({ socket, settings }: Connection, number: number): Record<End, Endpoint> {
  const ends = socket instanceof Socket ? endsOf(socket) : undefined
  if (ends === undefined) {
    const port = FIRST_EPHEMERAL + (number % EPHEMERAL_PORTS)
    return { client: { address: NOWHERE.client, port }, server: { address: NOWHERE.server, port: HTTP } }
  }
  const [client, server] = settings.role === 'client' ? [ends.local, ends.remote] : [ends.remote, ends.local]
  // What was inside TLS is not what readers look for at that port.
  return { client, server: server.port === HTTPS ? { ...server, port: HTTP } : server }
}

function endsOf(socket: Socket): Record<'local' | 'remote', Endpoint> | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  // One that is connected has them all.
  if (localAddress === undefined || remoteAddress === undefined) return undefined
  return {
    local: { address: addressOctets(localAddress), port: localPort! },
    remote: { address: addressOctets(remoteAddress), port: remotePort! },
  }
}

/** The octets of an address as Node writes it: 4, or 16. */
export function addressOctets(address: string): Buffer {
  // An IPv4 address as a socket for IPv6 has it (RFC 4291 2.5.5.2).
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(plain)) return Buffer.from(plain.split('.').map(Number))
  // The URL standard writes all of it in hexadecimal. A zone is no part of the address.
  const [start, end] = new URL(`http://[${plain.replace(/%.*/, '')}]`).hostname.slice(1, -1).split('::')
  const before = groupsOf(start)
  const after = groupsOf(end)
  const octets = Buffer.alloc(16)
  for (const [at, group] of before.entries()) octets.writeUInt16BE(group, 2 * at)
  for (const [at, group] of after.entries()) octets.writeUInt16BE(group, 16 - 2 * (after.length - at))
  return octets
}

function groupsOf(text = ''): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}
