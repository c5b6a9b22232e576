/** `fullduplex connect` against real servers, over loopback. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { serve } from '../../src/server/index.ts'
import type { ServeOptions, WebSocketServer } from '../../src/server/index.ts'
import { tlsOptions } from '../server/support.ts'
import { cli, fakeIo, startServer, written } from './support.ts'

async function start(options: Partial<ServeOptions>): Promise<WebSocketServer> {
  const server = await serve({ host: '127.0.0.1', ...options, routes: undefined })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  return server
}

interface Told {
  type: string
  [name: string]: unknown
}

function events(stdout: string): Told[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Told)
}

describe('connect from a pipe', () => {
  it('sends each line, and writes each answer', async () => {
    const url = await startServer()
    const { code, stdout, stderr } = await cli(['connect', url, '--exit-after', '2'], 'one\n/two\n')
    expect(stdout).toBe('one\n/two\n')
    expect(stderr).toBe(`Connected to ${url}\nClosed with 1000 (normal closure), by us\n`)
    expect(code).toBe(0)
  })

  it('closes when nothing has come for a while after the end of the input', async () => {
    const url = await startServer()
    expect(await cli(['connect', url, '--wait', '0.2'], 'one\ntwo')).toMatchObject({ code: 0, stdout: 'one\ntwo\n' })
    expect(await cli(['connect', url, '--wait', '0'], '')).toMatchObject({ code: 0, stdout: '' })
  })

  it('waits for as long as answers come', async () => {
    let left = 5
    const server = await start({
      open(ws) {
        const timer = setInterval(() => {
          ws.send(String(left--))
          if (left === 0) clearInterval(timer)
        }, 20)
      },
    })
    const { stdout } = await cli(['connect', server.url, '--wait', '0.5'], '')
    expect(stdout).toBe('5\n4\n3\n2\n1\n')
  })

  it('stays until the server closes when it is told to wait forever', async () => {
    const server = await start({ message: (ws, data) => void ws.close(1001, String(data)) })
    const { code, stderr } = await cli(['connect', server.url, '--wait', 'forever'], 'go\n')
    expect(stderr).toContain('Closed with 1001 (going away) "go", by the peer\n')
    expect(code).toBe(0)
  })

  it('sends what --send says first, and takes no more than --exit-after', async () => {
    const server = await start({ open: (ws) => void ['a', 'b', 'c'].map((text) => ws.send(text)) })
    const { code, stdout } = await cli(['connect', server.url, '--exit-after', '2', '-s', 'x'], 'y\n')
    expect(stdout).toBe('a\nb\n')
    expect(code).toBe(0)
    const echo = await startServer()
    expect((await cli(['connect', echo, '--exit-after', '3', '-s', 'x', '-s', 'y'], 'z\n')).stdout).toBe('x\ny\nz\n')
  })

  it('obeys commands where it is told to', async () => {
    const url = await startServer()
    const input = '/binary 0a0b\n/ping hi\n/ping\n/pause\n/resume\n/help\n/quit\none\\\ntwo\n'
    const { code, stdout, stderr } = await cli(['connect', url, '--commands', '--exit-after', '2'], input)
    expect(stdout).toMatch(/^00000000 {2}0a 0b .*\|\.\.\|\none\ntwo\n$/)
    expect(stderr).toMatch(/Pong "hi", \d+\.\d\d ms\nPong "1", \d+\.\d\d ms\n/)
    expect(stderr).toContain('\n/binary 0a 0b 0c        send octets, written in hex\n')
    expect(stderr).toContain('There is no command "/quit"')
    expect(code).toBe(0)
  })

  it('closes as it is told', async () => {
    let told: unknown
    const server = await start({ message() {}, close: (_, info) => void (told = info) })
    const { code, stderr } = await cli(['connect', server.url, '--commands'], '/close 4000 for today\n')
    expect(stderr).toContain('Closed with 4000 (for private use) "for today", by us\n')
    await vi.waitFor(() => expect(told).toMatchObject({ code: 4000, reason: 'for today' }))
    expect(code).toBe(0)
  })

  it('closes with 1000 when it is told no code, and says nothing of Pings', async () => {
    const server = await start({ open: (ws) => void ws.ping(), message() {} })
    const { code, stderr } = await cli(['connect', server.url, '--commands'], '/close\n')
    expect(stderr).toBe(`Connected to ${server.url}\nClosed with 1000 (normal closure), by us\n`)
    expect(code).toBe(0)
  })

  it('says what cannot be sent, and goes on', async () => {
    const url = await startServer()
    const input = `/ping ${'x'.repeat(126)}\n/close 1006\nstill here\n`
    const { stdout, stderr } = await cli(['connect', url, '--commands', '--exit-after', '1'], input)
    expect(stderr).toContain('A Ping or Pong has at most 125 octets, this one has 126\n')
    expect(stderr).toContain('Close code "1006" cannot be sent')
    expect(stdout).toBe('still here\n')
  })

  it('makes the input wait for a server that does not read', async () => {
    let resume = (): void => {}
    const server = await start({
      open(ws) {
        ws.pause()
        resume = () => ws.resume()
      },
      message() {},
    })
    let pulled = 0
    function* lines(): Generator<Buffer> {
      const line = Buffer.from(`${'x'.repeat(1_000_000)}\n`)
      for (;;) {
        pulled++
        yield line
      }
    }
    const io = fakeIo()
    const stdin = Object.assign(Readable.from(lines()), { isTTY: false })
    const ended = run(['connect', server.url], { ...io, stdin })
    await written(io.stderr, 'Connected')
    // It ends only if somebody makes it wait.
    for (let before = -1; before < pulled;) {
      before = pulled
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    resume()
    io.interrupt()
    expect(await ended).toBe(130)
    expect(io.stderr.text).toContain('Closed with 1001 (going away), by us\n')
  })

  it('shows the wire', async () => {
    const url = await startServer()
    const { stdout, stderr } = await cli(['connect', url, '--wire', '--exit-after', '1'], 'Hello\n')
    expect(stdout).toBe('Hello\n')
    expect(stderr).toMatch(/\n→ FIN=1 RSV=000 Text \(0x1\) {9}MASK=1 key=[0-9a-f]{8} length=5 "Hello"\n/)
    expect(stderr).toContain('\n← FIN=1 RSV=000 Text (0x1)         MASK=0 length=5 "Hello"\n')
    expect(stderr).toContain('\n← FIN=1 RSV=000 Close (0x8)        MASK=0 length=2 1000 normal closure\n')
  })
})

describe('connect --json', () => {
  it('tells every event', async () => {
    const server = await start({
      protocols: ['v2'],
      perMessageDeflate: true,
      message(ws, data) {
        ws.ping('p')
        ws.pong('q')
        ws.send(data)
      },
    })
    const args = ['connect', server.url, '--json', '--commands', '--exit-after', '1', '--wire', '-p', 'v2', '--deflate']
    const { code, stdout, stderr } = await cli(args, '/ping a\n/binary 00\n')
    const told = events(stdout)
    expect(told.find(({ type }) => type === 'open')).toMatchObject({ peer: server.url, protocol: 'v2' })
    expect(told.find(({ type }) => type === 'ping')).toMatchObject({ payload: 'cA==' })
    expect(told.find(({ type }) => type === 'pong')).toMatchObject({ payload: 'YQ==', ms: expect.any(Number) })
    expect(told).toContainEqual({ type: 'pong', payload: 'cQ==' })
    expect(told.find(({ type }) => type === 'message')).toMatchObject({ binary: true, data: 'AA==' })
    expect(told.filter(({ type }) => type === 'frame').length).toBeGreaterThan(5)
    expect(told.at(-1)).toMatchObject({ type: 'close', code: 1000, wasClean: true, initiator: 'local' })
    expect([stderr, code]).toEqual(['', 0])
  })

  it('tells why there is no connection', async () => {
    const server = await start({ upgrade: () => ({ status: 403, body: 'not you' }), message() {} })
    const { code, stdout, stderr } = await cli(['connect', server.url, '--json'])
    expect(events(stdout)).toEqual([
      {
        type: 'error',
        code: 'ERR_WS_UNEXPECTED_RESPONSE',
        message: 'The server answered with status 403 instead of 101, and said: not you',
      },
    ])
    expect([stderr, code]).toEqual(['', 1])
  })
})

describe('connect ends with 1', () => {
  it('when nobody listens', async () => {
    const server = await start({ message() {} })
    await server.shutdown()
    const { code, stdout, stderr } = await cli(['connect', server.url])
    expect(stderr).toMatch(/^Cannot reach ws:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED 127\.0\.0\.1:\d+\n$/)
    expect([stdout, code]).toEqual(['', 1])
  })

  it('when the server takes too long', async () => {
    const http = createServer().on('upgrade', () => {})
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void http.close())
    const { code, stderr } = await cli([
      'connect',
      `127.0.0.1:${(http.address() as AddressInfo).port}`,
      '--timeout',
      '0.05',
    ])
    expect(stderr).toContain('The opening handshake took longer than 50 ms')
    expect(code).toBe(1)
  })

  it.each<[string, Partial<ServeOptions>, string]>([
    ['the server closes with an error', { open: (ws) => void ws.close(1011, 'oops') }, 'Closed with 1011'],
    ['the server goes without a word', { open: (ws) => void setImmediate(() => ws.terminate()) }, 'not cleanly'],
    ['fewer messages come than --exit-after says', { open: (ws) => void ws.close(1000) }, 'Closed with 1000'],
    [
      'the server breaks the protocol',
      { open: (ws) => void setImmediate(() => ws.socket.write('\u{83}\0', 'latin1')) },
      'Opcode 3 is reserved',
    ],
  ])('when %s', async (_, options, told) => {
    const server = await start({ message() {}, ...options })
    const { code, stderr } = await cli(['connect', server.url, '--exit-after', '1'])
    expect(stderr).toContain(told)
    expect(code).toBe(1)
  })

  it('when standard input fails', async () => {
    const io = fakeIo()
    const ended = run(['connect', await startServer()], io)
    await written(io.stderr, 'Connected')
    io.stdin.destroy(new Error('EISDIR'))
    expect(await ended).toBe(1)
    expect(io.stderr.text).toContain('fullduplex connect: Cannot read standard input: EISDIR.\n')
  })
})

describe('connect and TLS', () => {
  it('takes a certificate that nobody signed only if told so', async () => {
    const { server } = await tlsOptions()
    const url = await startServer({ tls: server })
    const strict = await cli(['connect', url])
    expect(strict.stderr).toMatch(/^Cannot reach wss:.*; --insecure takes any certificate\n$/)
    expect(strict.code).toBe(1)
    expect(await cli(['connect', url, '--insecure', '-s', 'hi', '--exit-after', '1'])).toMatchObject({
      code: 0,
      stdout: 'hi\n',
    })
  })
})

describe('connect on Ctrl-C', () => {
  it('closes with 1001, and ends with 130', async () => {
    let told: unknown
    const server = await start({ message() {}, close: (_, info) => void (told = info.code) })
    const io = fakeIo()
    const ended = run(['connect', server.url], io)
    await written(io.stderr, 'Connected')
    io.interrupt()
    expect(await ended).toBe(130)
    await vi.waitFor(() => expect(told).toBe(1001))
  })

  it('gives up to connect', async () => {
    const http = createServer()
    const asked = new Promise((resolve) => http.on('upgrade', resolve))
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void http.close())
    const io = fakeIo()
    const ended = run(['connect', `ws://127.0.0.1:${(http.address() as AddressInfo).port}`], io)
    await asked
    io.interrupt()
    expect(await ended).toBe(130)
    expect(io.stderr.text).toBe('')
  })
})

describe('connect on a terminal', () => {
  it('has a prompt, and shows what comes above it', async () => {
    const url = await startServer()
    const io = fakeIo(80, { NO_COLOR: '1' })
    const ended = run(['connect', url, '--send', 'first'], io)
    await written(io.stdout, '< first\n')
    expect(io.stdout.text).toContain(
      `Connected to ${url}\n/help shows what else can be typed than messages; Ctrl-D ends.\n`,
    )
    io.stdin.write('hello\r')
    await written(io.stdout, '< hello\n')
    io.stdin.write('/help\r')
    await written(io.stdout, '/close [CODE [REASON]]')
    io.stdin.write('\u{4}')
    expect(await ended).toBe(0)
    expect(io.stdout.text).toContain('Closed with 1000 (normal closure), by us\n')
    expect(io.stderr.text).toBe('')
  })

  it('ends a connection at once that does not end when it is told to', async () => {
    const server = await start({ open: (ws) => ws.pause(), message() {} })
    const io = fakeIo(80)
    const ended = run(['connect', server.url], io)
    await written(io.stdout, '> ')
    io.stdin.write('\u{3}')
    await new Promise((resolve) => setImmediate(resolve))
    io.stdin.write('\u{3}')
    expect(await ended).toBe(1)
  })

  it('ends with 1 where there is no connection', async () => {
    const io = fakeIo(80)
    const server = await start({ message() {} })
    await server.shutdown()
    expect(await run(['connect', server.url], io)).toBe(1)
    expect(io.stdout.text).toContain('Cannot reach')
  })

  it('reads lines without a prompt where the output goes elsewhere, or the terminal cannot', async () => {
    const url = await startServer()
    for (const io of [
      { ...fakeIo(), stdin: terminal('/ping x\nhi\n') },
      { ...fakeIo(80, { TERM: 'dumb' }), stdin: terminal('/ping x\nhi\n') },
    ]) {
      expect(await run(['connect', url, '--exit-after', '1'], io)).toBe(0)
      expect(io.stdout.text).toMatch(/^(< )?hi\n$/)
      expect(io.stderr.text).toContain('Pong "x"')
    }
  })
})

function terminal(input: string): PassThrough & { isTTY: boolean } {
  const stream = Object.assign(new PassThrough(), { isTTY: true })
  stream.end(input)
  return stream
}

describe('connect refuses', () => {
  it.each([
    ['no address', [], 'Give the address of a server, such as ws://localhost:8080'],
    ['two addresses', ['ws://a', 'ws://b'], 'Give one address only'],
    ['another scheme', ['ftp://a'], 'fullduplex connect: '],
    ['a subprotocol that is none', ['ws://a', '-p', 'a b'], 'fullduplex connect: '],
    ['a count in words', ['ws://a', '--exit-after', 'one'], '--exit-after needs a whole number'],
    ['a time in words', ['ws://a', '--wait', 'long'], '--wait needs a number of seconds'],
    ['a file that is not there', ['ws://a', '--ca', '/nonexistent'], 'Cannot read "/nonexistent" (ENOENT)'],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await cli(['connect', ...args])
    expect(stderr).toContain(message)
    expect([stdout, code]).toEqual(['', 2])
  })
})
