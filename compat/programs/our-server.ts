/** What our client and our server do together, beyond what any server can. Runs in Node, Bun and Deno. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { HandshakeError, connect, toDuplex } from 'fullduplex'
import type { Check } from './check.ts'
import { Link } from './link.ts'
import type { Target } from './link.ts'

const MiB = 1024 * 1024

export const ourServer: readonly Check<Target>[] = [
  {
    name: 'a refused handshake, with its status and body',
    async run(target) {
      const refusal = await Link.open(target, '/refused').catch((error: unknown) => error)
      assert.ok(refusal instanceof HandshakeError, 'the handshake was not refused')
      assert.deepEqual([refusal.status, String(refusal.body)], [403, 'not you'])
      await assert.rejects(Link.open(target, '/nowhere'), { status: 404 })
    },
  },
  {
    name: 'a broadcast',
    async run(target) {
      const links = await Promise.all([Link.open(target), Link.open(target), Link.open(target, '/context')])
      links[0].ws.send('!broadcast to all')
      for (const link of links) assert.equal(await link.next(), 'to all')
      await Promise.all(links.map((link) => link.close()))
    },
  },
  {
    name: '200 connections at once',
    async run(target) {
      const open = async (): Promise<Link> => Link.open(target, '/', { oneAtATime: false })
      const links = await Promise.all(Array.from({ length: 200 }, open))
      const answers = await Promise.all(links.map((link, index) => link.ask(`connection ${index}`)))
      for (const [index, answer] of answers.entries()) assert.equal(answer, `connection ${index}`)
      await Promise.all(links.map((link) => link.close()))
    },
  },
  {
    name: 'backpressure: 32 MiB, sent as fast as they are taken',
    async run(target) {
      const link = await Link.open(target)
      const octets = randomBytes(MiB)
      const sending = (async () => {
        for (let sent = 0; sent < 32; sent++) if (!link.ws.send(octets)) await link.ws.drained()
      })()
      for (let received = 0; received < 32; received++) {
        assert.ok(octets.equals((await link.next()) as Buffer), 'the octets are not those that were sent')
      }
      await sending
      await link.close()
    },
  },
  {
    name: 'messages in parts (`sendStream`, `messages({ stream: true })`)',
    async run({ url, ca }) {
      const ws = await connect(url, { tls: { ca } })
      const octets = randomBytes(4 * MiB)
      const messages = ws.messages({ stream: true })
      const [{ value }] = await Promise.all([messages.next(), ws.sendStream(pieces(octets))])
      assert.ok(value !== undefined, 'no message came')
      const parts: Buffer[] = []
      for await (const part of value) parts.push(Buffer.from(part))
      assert.ok(octets.equals(Buffer.concat(parts)), 'the octets are not those that were sent')
      await ws.close(1000)
    },
  },
  {
    name: 'a connection as a stream (`toDuplex`)',
    async run({ url, ca }) {
      const ws = await connect(url, { tls: { ca } })
      const duplex = toDuplex(ws)
      duplex.write('through a stream')
      for await (const chunk of duplex) {
        assert.equal(String(chunk), 'through a stream')
        break
      }
      await ws.closed
    },
  },
  {
    name: 'Pings that the server sends by itself (`heartbeat`)',
    async run(target) {
      let pings = 0
      let enough!: () => void
      const third = new Promise<void>((resolve) => (enough = resolve))
      const link = await Link.open(target, '/heartbeat', { ping: () => ++pings === 3 && enough() })
      await third
      await link.close()
    },
  },
  {
    name: 'the end of TCP, without a closing handshake',
    async run(target) {
      const link = await Link.open(target)
      link.ws.send('!terminate')
      const { code, wasClean } = await link.ws.closed
      assert.deepEqual([code, wasClean], [1006, false])
    },
  },
]

function* pieces(octets: Buffer): Generator<Buffer> {
  for (let at = 0; at < octets.length; at += 50_000) yield octets.subarray(at, at + 50_000)
}
