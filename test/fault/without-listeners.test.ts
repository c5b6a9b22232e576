/**
 * A program in which servers and clients have no handler at all, under Node's strictest flags, and every abuse at hand is thrown at it
 * from here. It has to live, to serve who behaves, to keep what all objects inherit, and to end by itself once it is over.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import type { Report } from './without-listeners-process.ts'

const program = fileURLToPath(new URL('without-listeners-process.ts', import.meta.url))
const STRICT = ['--unhandled-rejections=strict', '--throw-deprecation', '--disallow-code-generation-from-strings']

const HEADS: readonly string[] = [
  '',
  'GET',
  '\0',
  '\x16\x03\x01\x00\x05nonsense',
  'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
  handshake({ 'Sec-WebSocket-Version': '8' }),
  handshake({ 'Content-Length': '5' }),
  handshake({ Origin: 'http://elsewhere.example' }),
  handshake({ __proto__x: '1', 'Sec-WebSocket-Extensions': '__proto__; constructor=1' }),
  handshake({ 'Sec-WebSocket-Protocol': `b${' '.repeat(8000)}x` }),
  `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(500)}\r\n`,
]

/** First octet and payload of what follows a good handshake; `server`: as a server receives it. */
const FRAMES: readonly Buffer[] = [
  received('server', 0x81, 'Hello'),
  received('server', 0x83),
  received('server', 0xf1, 'x'),
  received('server', 0xc1, Buffer.from('0300', 'hex')),
  received('server', 0xc1, Buffer.from('ffffffff', 'hex')),
  received('server', 0x81, Buffer.from([0xc0, 0x80])),
  received('server', 0x88, Buffer.from([1])),
  received('server', 0x88, Buffer.from([0x03, 0xed])),
  received('server', 0x89, Buffer.alloc(125)),
  Buffer.concat(Array.from({ length: 2000 }, () => received('server', 0x89, 'ping'))),
  Buffer.concat([received('server', 0x01, 'a'), ...Array.from({ length: 2000 }, () => received('server', 0x00))]),
  Buffer.from('81ffffffffffffffffff', 'hex'),
  Buffer.from('82ff0000000010000000', 'hex'),
  Buffer.from('8105', 'hex'),
  Buffer.from([0x81]),
]

const WAYS: readonly ((client: RawClient) => unknown)[] = [
  (client) => client.reset(),
  (client) => client.destroy(),
  (client) => client.end(),
]

async function run(flags: readonly string[], attack: (report: Report) => Promise<void>): Promise<Report> {
  const execArgv = ['--import', 'tsx', ...flags]
  const child = fork(program, [], { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  const answer = async (): Promise<Report> => {
    const message = await Promise.race([once(child, 'message'), exited.then(() => undefined)])
    if (message === undefined) throw new Error(`The process died: ${stderr}`)
    return (message as [Report])[0]
  }
  child.send(await (await createAuthority()).issue())
  await attack(await answer())
  child.send('end')
  const report = await answer()
  const ended = performance.now()
  const [code, signal] = await exited
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' })
  expect(performance.now() - ended).toBeLessThan(5_000)
  return report
}

async function abuse({ ports }: Report): Promise<void> {
  const left: Promise<void>[] = []
  for (const port of ports) {
    const throwAt = async (bytes: Buffer[]): Promise<void> => {
      for (const leave of WAYS) {
        const client = await RawClient.connect({ port })
        for (const piece of bytes) client.write(piece)
        leave(client)
        client.socket.resume()
        left.push(client.closed)
        setTimeout(() => client.destroy(), 500).unref()
      }
    }
    for (const head of HEADS) await throwAt([Buffer.from(head, 'latin1')])
    for (const frames of FRAMES) await throwAt([Buffer.from(handshake()), frames])
  }
  await Promise.all(left)
  const honest = await RawClient.connect({ port: ports[0] })
  expect((await honest.write(handshake()).readHead()).status).toBe(101)
  honest.write(received('server', 0x89, 'alive?'))
  expect((await honest.readFrame()).payload.toString()).toBe('alive?')
  honest.destroy()
}

describe('A program without a handler', () => {
  it.each([
    ['strict flags', STRICT],
    ['frozen intrinsics', ['--unhandled-rejections=strict', '--frozen-intrinsics', '--no-warnings']],
  ])(
    '[A16] [A18] [A21] [A22] lives through every abuse as server and client, says nothing and ends, with %s',
    { timeout: 60_000 },
    async (_, flags) => {
      const report = await run(flags, abuse)
      expect(report).toMatchObject({ resources: [], polluted: [], failed: report.attempts, connections: 0 })
      expect(report.attempts).toBeGreaterThan(10)
    },
  )
})
