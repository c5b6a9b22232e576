/**
 * Networks that lose everything, and networks that are slow (goal G12): two hosts in network namespaces, with a cable between
 * them. That takes Linux, root and iproute2 (`apt-get install iproute2`); where it cannot be had these tests are left out,
 * but not in CI. `npm run faults` has the heartbeat that servers have unless told otherwise, and larger messages.
 */
import { describe, expect, it } from 'vitest'
import { FaultNet } from './support/fault-net.ts'
import { FaultPeers } from './support/fault-peers.ts'
import { sizes } from './support/fault-sizes.ts'

const SECOND = 1000
const PEERS = 20
const { interval, timeout } = sizes.heartbeat
/** Beside the heartbeat: its clock is late by a tick or two, and processes take their time to start. */
const SPARE = 15 * SECOND

const { missing } = FaultNet
const skipped = missing !== undefined && process.env['CI'] === undefined
if (skipped) console.warn(`NOT TESTED, as there can be no network namespaces here: ${missing}`)

interface Pair {
  readonly server: FaultPeers
  readonly clients: FaultPeers
}

type Heartbeat = { readonly interval: number; readonly timeout: number } | false

/** A server on the left, and clients on the right. */
async function connected(net: FaultNet, count: number, ofServer: Heartbeat, ofClients: Heartbeat): Promise<Pair> {
  const host = net.address('left')
  const server = new FaultPeers({ serve: { host, heartbeat: ofServer } }, net.on('left'))
  const url = `ws://${host}:${await server.port()}/`
  const clients = new FaultPeers({ connect: { heartbeat: ofClients }, url, count }, net.on('right'))
  await clients.opened()
  return { server, clients }
}

/** In both directions: in one, a client would hear the server's Ping, and wait as long again. */
function blackHole(net: FaultNet): void {
  net.blackHole('left')
  net.blackHole('right')
}

describe.skipIf(skipped)('Over a network', () => {
  describe.each<[string, (net: FaultNet) => void]>([
    ['in a black hole', blackHole],
    ['whose cable has been pulled', (net) => net.unplug('right')],
  ])('peers %s', (_, strike) => {
    const limit = interval + timeout + SECOND + SPARE
    it('are gone within the interval and the time-out of the heartbeat', { timeout: limit + SPARE }, async () => {
      const net = FaultNet.create()
      const { server, clients } = await connected(net, PEERS, sizes.heartbeat, sizes.heartbeat)
      strike(net)
      const began = performance.now()
      await server.until(() => server.closed.length === PEERS)
      const took = performance.now() - began
      await clients.until(() => clients.closed.length === PEERS)
      const all = Array.from({ length: PEERS }, () => '1006 timeout ERR_WS_HEARTBEAT_TIMEOUT')
      expect([server.closed, clients.closed]).toEqual([all, all])
      expect(took).toBeLessThan(interval + timeout + SECOND)
    })
  })
})

const { rate, octets, ...patience } = sizes.slow

/** It is slow already when they connect: senders that have known it fast flood it, and the kernel keeps more. */
function slowNet(): FaultNet {
  const net = FaultNet.create()
  net.slow('left', rate)
  net.slow('right', rate)
  return net
}

describe.skipIf(skipped)(`Over ${rate}`, () => {
  it.each<['server' | 'client', Heartbeat, Heartbeat]>([
    ['server', patience, false],
    ['client', false, patience],
  ])('a %s takes nobody for dead who takes what it sends', { timeout: 300_000 }, async (from, ofServer, ofClients) => {
    const { server, clients } = await connected(slowNet(), 1, ofServer, ofClients)
    const [sender, receiver] = from === 'server' ? [server, clients] : [clients, server]
    const began = performance.now()
    sender.order({ send: octets })
    const over = (peers: FaultPeers): Promise<void> =>
      peers.until(() => receiver.messages.length + receiver.closed.length + sender.closed.length > 0)
    await Promise.race([over(receiver), over(sender)])
    expect([sender.closed, receiver.closed, receiver.messages]).toEqual([[], [], [octets]])
    // If it had not taken that long, nothing would be said by this.
    expect(performance.now() - began).toBeGreaterThan(patience.interval + patience.timeout)
  })

  it('a server misses who goes in the middle of a message', { timeout: 300_000 }, async () => {
    const net = slowNet()
    const { server } = await connected(net, 1, patience, false)
    server.order({ send: octets })
    net.blackHole('right')
    await server.until(() => server.closed.length > 0)
    expect(server.closed).toEqual(['1006 timeout ERR_WS_HEARTBEAT_TIMEOUT'])
  })
})
