/**
 * A server process without any handler but `message`, under everything that a peer can do to it. It may refuse, and it
 * may hang up; it may not die, not let anybody else notice, and not stay when it is asked to go.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import type { Place } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import type { Ports, Remains } from './server-process.ts'

const CLOSE = received('server', 0x88, Buffer.from([0x03, 0xe8]))
const SCRIPT = Buffer.concat([Buffer.from(handshake()), received('server', 0x81, 'Hello'), CLOSE])
const SLOW = handshake({}, 'GET /slow HTTP/1.1')
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

const program = fileURLToPath(new URL('server-process.ts', import.meta.url))
const execArgv = ['--import', 'tsx', '--unhandled-rejections=strict', '--throw-deprecation', '--trace-warnings']

type Name = keyof Ports
const NAMES: readonly Name[] = ['tcp', 'tls', 'http', 'attached']

let child: ChildProcess
let stderr = ''
let places: Record<Name, Place>
let witnesses: Record<Name, RawClient>
/** All that were left alone, to be there when the servers are shut down. */
const silent: RawClient[] = []

beforeAll(async () => {
  const authority = await createAuthority()
  child = fork(program, [], { execArgv, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.send(await authority.issue())
  const ports = (await answer()) as Ports
  places = {
    tcp: { port: ports.tcp },
    tls: { port: ports.tls, tls: { ca: authority.cert } },
    http: { port: ports.http },
    attached: { port: ports.attached },
  }
  const opened = await Promise.all(NAMES.map(async (name) => [name, await open(name)] as const))
  witnesses = Object.fromEntries(opened) as Record<Name, RawClient>
})

afterAll(() => {
  child.kill('SIGKILL')
})

/** What the process says next, unless it dies before. */
function answer(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number): void => reject(new Error(`The process died with ${code}: ${stderr}`))
    child.once('exit', onExit).once('message', (message) => {
      child.off('exit', onExit)
      resolve(message)
    })
  })
}

async function open(name: Name): Promise<RawClient> {
  const client = await RawClient.connect(places[name])
  const { status } = await client.write(handshake()).readHead()
  if (status !== 101) throw new Error(`${name} answered ${status}`)
  return client
}

async function expectEcho(client: RawClient): Promise<void> {
  expect(await client.write(received('server', 0x81, 'alive?')).readText()).toBe('alive?')
}

/** The process is alive, those who were connected are served, and so is who comes now. */
async function expectUnharmed(): Promise<void> {
  expect({ code: child.exitCode, signal: child.signalCode, stderr: crash() }).toEqual({
    code: null,
    signal: null,
    stderr: '',
  })
  for (const name of NAMES) {
    await expectEcho(witnesses[name])
    const client = await open(name)
    await expectEcho(client)
    client.write(CLOSE).end()
    await client.readToEnd()
  }
}

/** What the process has said that is no warning about a handler that failed on purpose. */
function crash(): string {
  return /Error: (?!on purpose)|Uncaught|Unhandled/i.test(stderr) ? stderr : ''
}

/** Ends `client` in one of the ways in which clients end. */
async function leave(client: RawClient, how: 'end' | 'reset' | 'silence'): Promise<void> {
  if (how === 'silence') silent.push(client)
  else await client[how]().readToEnd()
}

const WAYS = ['end', 'reset', 'silence'] as const

const malformedHeads: readonly (string | Buffer)[] = [
  '\r\n\r\n\r\n',
  '\0\0\0\0',
  'GET',
  'GET / HTTP/1.1\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(3_000)}\r\n`,
  `GET /${'x'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
  'A'.repeat(70_000),
  handshake({ 'Sec-WebSocket-Version': '' }),
  handshake({ 'Sec-WebSocket-Protocol': ',,,' }),
  handshake({ 'Sec-WebSocket-Protocol': '__proto__, constructor' }),
  handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate; __proto__="\\' }),
  handshake({ Host: 'a@b:c' }),
  handshake({ Cookie: '=;=;__proto__=1' }),
  handshake({ Origin: 'http://[::1' }),
  handshake({ Upgrade: `b${' '.repeat(7_000)}x` }),
  handshake({ 'Content-Length': '18446744073709551617' }),
  handshake({ Expect: '100-continue' }),
  handshake({ __proto__: 'x', constructor: 'y', hasOwnProperty: 'z' }),
  handshake({}, 'GET //[/?%zz%00#x HTTP/1.1'),
  handshake({}, 'GET http://a:99999/ HTTP/1.1'),
  handshake({}, 'OPTIONS * HTTP/1.1'),
  handshake({}, 'CONNECT a:1 HTTP/1.1'),
  handshake({ Upgrade: 'h2c' }),
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  Buffer.from('16030100', 'hex'),
  Buffer.alloc(100_000, 0xff),
]

const malformedFrames: readonly Buffer[] = [
  Buffer.from('8100', 'hex'),
  Buffer.from('ff80ffffffff', 'hex'),
  Buffer.from('81ffffffffffffffffff00000000', 'hex'),
  Buffer.from('81ff7fffffffffffffff00000000', 'hex'),
  Buffer.from('827f', 'hex'),
  Buffer.from('80800000000000', 'hex'),
  received('server', 0x81, Buffer.from([0xff])),
  received('server', 0x88, Buffer.from([0x03])),
  received('server', 0x88, Buffer.from([0x03, 0xed])),
  received('server', 0x89, Buffer.alloc(126)),
  Buffer.concat(Array.from({ length: 20_000 }, () => received('server', 0x89, 'ping'))),
  Buffer.concat([received('server', 0x01, 'a'), received('server', 0x81, 'b')]),
  received('server', 0x81, 'throw'),
  received('server', 0x81, 'reject'),
  Buffer.concat([received('server', 0x81, 'reject'), received('server', 0x81, 'throw'), CLOSE]),
]

describe.each(NAMES)('The server process on %s', (name) => {
  it('survives malformed handshakes, however their client leaves [6455:10.1-i01] [6455:10.7-01] [6455:10.7-02]', async () => {
    await Promise.all(
      malformedHeads.flatMap((head) =>
        WAYS.map(async (how) => leave((await RawClient.connect(places[name])).write(head), how)),
      ),
    )
    await expectUnharmed()
  })

  it('survives malformed frames and handlers that throw, however their client leaves [6455:10.7-03]', async () => {
    await Promise.all(
      malformedFrames.flatMap((frames) => WAYS.map(async (how) => leave((await open(name)).write(frames), how))),
    )
    await expectUnharmed()
  })

  it('[V64] survives a reset, and an end, behind every octet of handshake, message and close', async () => {
    for (let length = 0; length <= SCRIPT.length; length++) {
      const clients = await Promise.all([RawClient.connect(places[name]), RawClient.connect(places[name])])
      for (const client of clients) client.write(SCRIPT.subarray(0, length))
      await Promise.all([clients[0].reset().closed, clients[1].end().readToEnd()])
      clients[1].destroy()
    }
    await expectUnharmed()
  })

  it('survives clients that go while `upgrade` decides', async () => {
    await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const client = (await RawClient.connect(places[name])).write(SLOW)
        if (n % 3 === 0) client.write(SCRIPT)
        await client.drip('.')
        await (n % 2 === 0 ? client.reset().closed : client.destroy().closed)
      }),
    )
    const served = await RawClient.connect(places[name])
    expect((await served.write(SLOW).readHead()).status).toBe(101)
    served.destroy()
    await expectUnharmed()
  })

  it('survives clients that say nothing, or half', async () => {
    for (const length of [0, 1, 100, SCRIPT.length - CLOSE.length - 1]) {
      silent.push((await RawClient.connect(places[name])).write(SCRIPT.subarray(0, length)))
    }
    await expectUnharmed()
  })
})

describe('The server process', () => {
  it('[V64] survives what is no TLS, cut anywhere', async () => {
    const { port } = places.tls
    const hello = Buffer.from(`16030100c8010000c40303${'ab'.repeat(195)}`, 'hex')
    await Promise.all(
      [0, 1, 4, 5, 6, 50, hello.length].flatMap((length) =>
        WAYS.map(async (how) => leave((await RawClient.connect({ port })).write(hello.subarray(0, length)), how)),
      ),
    )
    await Promise.all(
      [GET, handshake(), Buffer.alloc(70_000), Buffer.alloc(70_000, 0x16)].flatMap((garbage) =>
        WAYS.map(async (how) => leave((await RawClient.connect({ port })).write(garbage), how)),
      ),
    )
    await expectUnharmed()
  })

  it('survives resets on connections that began with plain requests', async () => {
    for (const name of ['http', 'attached'] as const) {
      for (const behind of ['', 'GET /', SLOW, handshake()]) {
        const client = await RawClient.connect(places[name])
        await client.write(GET).readResponse()
        await client.write(behind).reset().closed
      }
    }
    await expectUnharmed()
  })

  it('goes when it is asked to, with silent peers and all, and leaves nothing behind', async () => {
    expect(silent.length).toBeGreaterThan(100)
    child.send('shutdown')
    const remains = (await answer()) as Remains
    // It ends by itself, as no handle and no timer is left that would keep it.
    const [code] = (await once(child, 'exit')) as [number]
    expect({ code, stderr: crash(), remains }).toEqual({
      code: 0,
      stderr: '',
      remains: { resources: [], connections: 0 },
    })
    for (const client of [...silent, ...Object.values(witnesses)]) client.destroy()
  })
})
