/** The proxy of the other tests does what its scripts say: a fault that does not happen proves nothing. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FaultProxy } from './support/fault-proxy.ts'
import type { Fault } from './support/fault-script.ts'

interface Through {
  readonly proxy: FaultProxy
  readonly client: Socket
  readonly server: Socket
  /** What has come at the server, an entry a read. */
  readonly reads: Buffer[]
}

/** A connection whose way to the server has these faults; what the server sends passes. */
async function through(...toServer: Fault[]): Promise<Through> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const proxy = await FaultProxy.listen((listener.address() as AddressInfo).port, { toServer, toClient: [] })
  const accepted = once(listener, 'connection')
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  client.on('error', () => {})
  const [server] = (await accepted) as [Socket]
  const reads: Buffer[] = []
  server.on('error', () => {}).on('data', (chunk: Buffer) => reads.push(chunk))
  onTestFinished(async () => {
    for (const socket of [client, server]) socket.destroy()
    await proxy.close()
    listener.close()
  })
  return { proxy, client, server, reads }
}

const TEXT = 'abcdefghij'

describe('The fault proxy', () => {
  it('passes everything on, both ways, and each FIN by itself', async () => {
    const { proxy, client, server, reads } = await through()
    client.end(TEXT)
    await once(server, 'end')
    server.end('answer')
    const [answer] = (await once(client, 'data')) as [Buffer]
    await once(client, 'end')
    expect([Buffer.concat(reads).toString(), answer.toString()]).toEqual([TEXT, 'answer'])
    expect(proxy.passed).toEqual({ toServer: 10, toClient: 6 })
  })

  it('splits what comes in one piece', async () => {
    const { client, server, reads } = await through({ at: 0, kind: 'split', size: 3, pieces: 2 })
    client.end(TEXT)
    await once(server, 'end')
    expect(reads.map(String)).toEqual(['abc', 'def', 'ghij'])
  })

  it('merges what comes in pieces, but does not wait for what does not come', async () => {
    const { client, server, reads } = await through({ at: 0, kind: 'merge', octets: 4 })
    for (const octet of 'abcd') {
      client.write(octet)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await once(server, 'data')
    expect(Buffer.concat(reads).toString()).toMatch(/^a/)
    client.end('e')
    await once(server, 'end')
    expect(Buffer.concat(reads).toString()).toBe('abcde')
  })

  it.each(['delay', 'stall'] as const)('passes later what a %s holds up, and loses nothing', async (kind) => {
    const { client, server, reads } = await through({ at: 3, kind, time: 30 })
    const began = performance.now()
    client.end(TEXT)
    await once(server, 'end')
    expect(Buffer.concat(reads).toString()).toBe(TEXT)
    if (kind === 'stall') expect(performance.now() - began).toBeGreaterThan(25)
  })

  it('ends one direction by a FIN, and lets the other go on', async () => {
    const { client, server, reads } = await through({ at: 4, kind: 'fin' })
    client.write(TEXT)
    await once(server, 'end')
    server.write('answer')
    const [answer] = (await once(client, 'data')) as [Buffer]
    expect([Buffer.concat(reads).toString(), answer.toString()]).toEqual(['abcd', 'answer'])
  })

  it('cuts both directions', async () => {
    const { client, server, reads } = await through({ at: 4, kind: 'cut' })
    client.write(TEXT)
    await Promise.all([once(server, 'end'), once(client, 'end')])
    expect(Buffer.concat(reads).toString()).toBe('abcd')
  })

  it('swallows everything in a black hole, FINs too', async () => {
    const { proxy, client, server, reads } = await through({ at: 4, kind: 'silence' })
    client.end(TEXT)
    await once(server, 'data')
    server.write('still there')
    await once(client, 'data')
    expect([Buffer.concat(reads).toString(), server.readableEnded]).toEqual(['abcd', false])
    expect(proxy.passed.toServer).toBe(4)
  })
})
