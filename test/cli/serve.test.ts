/** `fullduplex serve`, with clients of the package. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { connect } from '../../src/client/index.ts'
import type { Connection } from '../../src/connection/index.ts'
import { tlsOptions } from '../server/support.ts'
import { cli, fakeIo, temporaryFolder, written } from './support.ts'
import type { FakeIo } from './support.ts'

interface Served {
  readonly io: FakeIo
  readonly url: string
  /** Ctrl-C; answers the exit code. */
  stop(): Promise<number>
}

async function start(...args: string[]): Promise<Served> {
  const io = fakeIo()
  const ended = run(['serve', '--port', '0', ...args], io)
  const stop = (): Promise<number> => {
    io.interrupt()
    return ended
  }
  onTestFinished(() => stop().then(() => {}))
  const line = await written(io.stdout, '\n')
  return { io, url: /wss?:\/\/[^\s"]+/.exec(line)?.[0] ?? '', stop }
}

async function take(ws: Connection, count: number): Promise<(string | Buffer)[]> {
  const messages: (string | Buffer)[] = []
  for await (const message of ws) {
    if (messages.push(message) === count) break
  }
  return messages
}

describe('serve', () => {
  it('echoes, and tells what happens', async () => {
    const { io, url } = await start()
    const ws = await connect(`${url}/path?query`)
    ws.send('hello')
    ws.send(Buffer.from([1]))
    expect(await take(ws, 2)).toEqual(['hello', Buffer.from([1])])
    await ws.close(1000, 'bye')
    await written(io.stdout, 'Closed')
    expect(io.stdout.text).toMatch(/^Listening on ws:\/\/127\.0\.0\.1:\d+\n/)
    expect(io.stdout.text).toContain('\n#1 open from 127.0.0.1 for /path?query\n#1 < hello\n#1 < binary, 1 octet\n')
    expect(io.stdout.text).toContain('\n#1 Closed with 1000 (normal closure) "bye", by the peer\n')
  })

  it('closes all connections with 1001 on Ctrl-C, and ends with 0', async () => {
    const { url, stop } = await start('--echo')
    const ws = await connect(url)
    expect(await stop()).toBe(0)
    expect(await ws.closed).toMatchObject({ code: 1001, wasClean: true })
  })

  it('ends at once when it was interrupted before it listened', async () => {
    const io = fakeIo()
    io.interrupt()
    expect(await run(['serve', '--port', '0'], io)).toBe(0)
  })

  it('does not read from whom it cannot answer', async () => {
    const { url } = await start('--quiet')
    const ws = await connect(url, { maxBufferedAmount: Infinity })
    ws.pause()
    const text = 'x'.repeat(2 ** 20)
    let waited = false
    for (let sent = 0; sent < 40; sent++) {
      if (!ws.send(text) && !waited) {
        waited = true
        setTimeout(() => ws.resume(), 50)
      }
    }
    expect((await take(ws, 40)).every((message) => message === text)).toBe(true)
  })

  it('sends what one says to all with --broadcast', async () => {
    const { url } = await start('--broadcast', '--quiet')
    const [one, other] = [await connect(url), await connect(url)]
    one.send('hello')
    expect(await Promise.all([take(one, 1), take(other, 1)])).toEqual([['hello'], ['hello']])
  })

  it('starts a program for each connection with --command', async () => {
    const { io, url } = await start(
      '--command',
      'echo "$PATH_INFO $QUERY_STRING $REMOTE_ADDR"; echo oh >&2; cat',
      '--quiet',
    )
    const ws = await connect(`${url}/a?b=c`)
    ws.send('hello')
    expect(await take(ws, 2)).toEqual(['/a b=c 127.0.0.1', 'hello'])
    await ws.close()
    expect(io.stderr.text).toBe('oh\n')
    expect(io.stdout.text).toMatch(/^Listening on .*\n$/)
  })

  it('lets the program decide when it reads on', async () => {
    const { url } = await start('--command', 'cat', '--binary', '--quiet')
    const ws = await connect(url)
    const sent = Buffer.alloc(1_000_000, 'x')
    let received = 0
    for (let count = 0; count < 8; count++) ws.send(sent)
    for await (const message of ws) {
      received += message.length
      if (received === 8_000_000) break
    }
    expect(received).toBe(8_000_000)
  })

  it('shows the wire, agrees to a subprotocol and to compression', async () => {
    const { io, url } = await start('--wire', '-p', 'v2', '--deflate')
    const ws = await connect(url, { protocols: ['v1', 'v2'], perMessageDeflate: true })
    ws.send('Hello')
    await take(ws, 1)
    await ws.close()
    const text = await written(io.stdout, 'Closed')
    expect(text).toContain(', subprotocol v2, permessage-deflate')
    expect(text).toMatch(/\n#1 ← FIN=1 RSV=000 Text \(0x1\) {9}MASK=1 key=[0-9a-f]{8} length=5 "Hello"\n/)
    expect(text).toContain('\n#1 → FIN=1 RSV=000 Text (0x1)         MASK=0 length=5 "Hello"\n')
  })

  it('tells programs with --json', async () => {
    const { io, url } = await start('--json')
    const ws = await connect(url)
    await ws.close()
    const text = await written(io.stdout, '"close"')
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toEqual([
      { type: 'listening', url },
      { type: 'open', connection: 1, peer: '127.0.0.1', target: '/', protocol: '', extensions: '' },
      { type: 'close', connection: 1, code: 1005, reason: '', wasClean: true, initiator: 'peer' },
    ])
  })

  it('serves one path, and pages of one origin', async () => {
    const { io, url } = await start('--path', '/here', '--origin', 'https://page.example')
    await expect(connect(url.replace('/here', '/there'))).rejects.toMatchObject({ status: 404 })
    await expect(connect(url, { headers: { origin: 'https://other.example' } })).rejects.toMatchObject({ status: 403 })
    const ws = await connect(url, { headers: { origin: 'https://page.example' } })
    await ws.close()
    expect(io.stdout.text).toContain('\nA handshake failed: ')
  })

  it('serves pages of any origin if told so', async () => {
    const { url } = await start('--origin', 'any')
    const ws = await connect(url, { headers: { origin: 'https://other.example' } })
    expect(await ws.close()).toMatchObject({ wasClean: true })
  })

  it('tells what goes wrong', async () => {
    const { io, url } = await start()
    const ws = await connect(url)
    ws.socket.write(Buffer.from([0x83, 0]))
    await ws.closed
    await written(io.stdout, 'Closed')
    expect(io.stdout.text).toContain('\n#1 Opcode 3 is reserved\n')
  })

  it('serves wss with a certificate', async () => {
    const { server, client } = await tlsOptions()
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'cert'), server.cert)
    writeFileSync(join(folder, 'key'), server.key)
    const { url } = await start('--tls-cert', join(folder, 'cert'), '--tls-key', join(folder, 'key'))
    const ws = await connect(url.replace('127.0.0.1', 'localhost'), { tls: client })
    expect(url).toMatch(/^wss:/)
    await ws.close()
  })
})

describe('serve refuses', () => {
  it.each([
    ['an argument', ['x'], 'There is nothing that "x" could mean here'],
    ['two modes', ['--echo', '--broadcast'], 'Give either --echo or --broadcast'],
    ['two other modes', ['--echo', '--command', 'cat'], 'Give either --echo or --command'],
    ['the last two modes', ['--broadcast', '--command', 'cat'], 'Give either --broadcast or --command'],
    ['--binary without --command', ['--binary'], '--binary goes with --command'],
    [
      'a certificate without its key',
      ['--tls-cert', fileURLToPath(import.meta.url)],
      '--tls-cert and --tls-key go together',
    ],
    ['a path that is none', ['--path', 'chat', '--port', '0'], 'path must be a string that begins with /'],
    ['a port that is none', ['--port', 'http'], '--port needs a port, 0 to 65535'],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await cli(['serve', ...args])
    expect(stderr).toContain(`fullduplex serve: ${message}`)
    expect(stderr).toContain('Try fullduplex serve --help')
    expect([stdout, code]).toEqual(['', 2])
  })

  it.each(['serve', 'chat'])('%s refuses a port that is taken', async (command) => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await cli([command, '--port', String(port)])
    expect(stderr).toBe(
      `fullduplex ${command}: Cannot listen on port ${port} of 127.0.0.1: listen EADDRINUSE: address already in use 127.0.0.1:${port}; --port chooses another one.\n`,
    )
    expect(code).toBe(2)
  })

  it('says that a host is none of its own', async () => {
    const { code, stderr } = await cli(['serve', '--host', '192.0.2.1', '--port', '0'])
    expect(stderr).toMatch(/^fullduplex serve: Cannot listen on port 0 of 192\.0\.2\.1: listen EADDRNOTAVAIL[^;]*\.\n$/)
    expect(code).toBe(2)
  })
})
