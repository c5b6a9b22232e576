/** Addresses as octets, and who is the client. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { Connection, connectionSettings } from '../../src/connection/index.ts'
import type { Duplex } from 'node:stream'
import type { Role } from '../../src/framing/rules.ts'
import { addressOctets, endpointsOf } from '../../src/tap/endpoints.ts'
import { Peer } from '../support/duplex.ts'
import { socketPair, unixSocketPair } from '../support/sockets.ts'

function on(socket: Duplex, role: Role): Connection {
  return new Connection(socket, connectionSettings(role, {}), {}, undefined, '')
}

describe('addressOctets', () => {
  it.each([
    ['127.0.0.1', '7f000001'],
    ['::ffff:192.0.2.255', 'c00002ff'],
    ['::FFFF:1.2.3.4', '01020304'],
    ['::', '0'.repeat(32)],
    ['::1', `${'0'.repeat(31)}1`],
    ['2001:db8::8:800:200c:417a', '20010db80000000000080800200c417a'],
    ['fe80::1%eth0', `fe80${'0'.repeat(27)}1`],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['64:ff9b::192.0.2.33', '0064ff9b0000000000000000c0000221'],
  ])('reads %s', (address, octets) => {
    expect(addressOctets(address).toString('hex')).toBe(octets)
  })
})

describe('endpointsOf', () => {
  it('tells both ends of a socket, by role', async () => {
    const { near, far } = await socketPair()
    onTestFinished(() => void (near.destroy(), far.destroy()))
    const loopback = Buffer.from([127, 0, 0, 1])
    const ends = {
      client: { address: loopback, port: far.localPort },
      server: { address: loopback, port: near.localPort },
    }
    expect(endpointsOf(on(near, 'server'), 0)).toEqual(ends)
    expect(endpointsOf(on(far, 'client'), 0)).toEqual(ends)
  })

  it('tells the port of HTTPS as that of HTTP, as what is in TLS is told', async () => {
    const { near, far } = await socketPair()
    onTestFinished(() => void (near.destroy(), far.destroy()))
    Object.defineProperty(near, 'localPort', { value: 443 })
    expect(endpointsOf(on(near, 'server'), 0)).toMatchObject({ server: { port: 80 }, client: { port: far.localPort } })
  })

  it('has addresses that lead nowhere for transports that have none', async () => {
    const { near, far } = await unixSocketPair()
    onTestFinished(() => void (near.destroy(), far.destroy()))
    const memory = on(new Peer('server').transport, 'server')
    for (const connection of [on(near, 'server'), on(far, 'client'), memory]) {
      expect(endpointsOf(connection, 3)).toEqual({
        client: { address: Buffer.from([192, 0, 2, 1]), port: 49_155 },
        server: { address: Buffer.from([192, 0, 2, 2]), port: 80 },
      })
    }
    expect(endpointsOf(memory, 16_384).client.port).toBe(49_152)
  })
})
