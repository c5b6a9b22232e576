import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testServer } from '../../src/conformance/index.ts'
import type { CaseResult } from '../../src/conformance/index.ts'
import { serve } from '../../src/index.ts'
import type { ServeOptions } from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import { rawServer } from '../support/raw-server.ts'

/** An echo. */
async function echo(options: Pick<ServeOptions, 'host' | 'tls' | 'upgrade'> = {}): Promise<string> {
  const server = await serve({ host: '127.0.0.1', port: 0, message: (ws, data) => ws.send(data), ...options })
  onTestFinished(() => server.shutdown({ timeout: 0 }))
  return server.url
}

/** A port where nobody listens. */
async function nobody(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const { port } = listener.address() as AddressInfo
  await new Promise((resolve) => listener.close(resolve))
  return port
}

describe('testServer', () => {
  it('reports on a server, in the order of the cases', async () => {
    const url = await echo()
    const heard: string[] = []
    const report = await testServer(url, {
      only: ['1.1', '9.1.1', '2'],
      exclude: ['2.11'],
      onResult: (result, done, total) => heard.push(`${result.id} ${done}/${total}`),
    })
    const ids = ['1.1.1', '1.1.2', '1.1.3', '1.1.4', '1.1.5', '1.1.6', '1.1.7', '1.1.8']
    ids.push('2.1', '2.2', '2.3', '2.4', '2.5', '2.6', '2.7', '2.8', '2.9', '2.10', '9.1.1')
    expect(report.peer).toEqual({ role: 'server', name: url })
    expect(report.results.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(ids.map((id) => `${id} OK`))
    expect(Date.now() - Date.parse(report.startedAt)).toBeLessThan(60_000)
    expect(report.duration).toBeGreaterThan(0)
    // Those that keep a machine busy come when the others are through.
    expect(heard).toHaveLength(19)
    expect(heard.at(-1)).toBe('9.1.1 19/19')
  })

  it('plays large cases one by one when it is told to', async () => {
    const report = await testServer(await echo(), { only: ['9.1.1', '9.1.2', '9.2.1'], concurrency: 1 })
    expect(report.results.map(({ verdict }) => verdict)).toEqual(['OK', 'OK', 'OK'])
  })

  it('reaches a server by TLS', async () => {
    const authority = await createAuthority()
    const url = (await echo({ tls: await authority.issue() })).replace('127.0.0.1', 'localhost')
    const report = await testServer(url, { only: ['1.1.1'], tls: { ca: authority.cert } })
    expect(report.results[0].verdict).toBe('OK')
    await expect(testServer(url, { only: ['1.1.1'] })).rejects.toThrow('certificate')
    const named = { ca: authority.cert, servername: 'localhost' }
    expect(
      (await testServer(url.replace('localhost', '127.0.0.1'), { only: ['1.1.1'], tls: named })).results[0].verdict,
    ).toBe('OK')
  })

  it('reaches a server by IPv6, with fields of the user', async () => {
    let seen: string | undefined = ''
    const url = await echo({
      host: '::1',
      upgrade: (request) => {
        seen = `${request.target} ${request.headers.get('x-user')} ${request.headers.get('host')}`
      },
    })
    const report = await testServer(`${url}/room?a=1`, { only: ['1.1.1'], headers: { 'X-User': 'me' } })
    expect(report.results[0].verdict).toBe('OK')
    expect(seen).toBe(`/room?a=1 me ${new URL(url).host}`)
  })

  it('rejects when the server cannot be reached', async () => {
    await expect(testServer(`ws://127.0.0.1:${await nobody()}`)).rejects.toThrow('ECONNREFUSED')
  })

  it('goes on when the server cannot be reached any longer', async () => {
    const server = await rawServer()
    const result = testServer(server.url.replace('localhost', '127.0.0.1'), { only: ['1.1.1'] })
    await server.accept()
    await server.close()
    const [{ verdict, close, explanation }] = (await result).results
    expect([verdict, close]).toEqual(['FAILED', 'NO HANDSHAKE'])
    expect(explanation).toMatch(/^the server cannot be reached: .*ECONNREFUSED/)
  })

  it('goes on when the server resets the connection', async () => {
    const server = await rawServer()
    const result = testServer(server.url, { only: ['1.1.1'] })
    await server.accept()
    const peer = await server.accept()
    await peer.readHead()
    peer.socket.resetAndDestroy()
    expect((await result).results[0].explanation).toBe('the server ended TCP without a word')
  })

  it('does not wait for TLS that does not come', async () => {
    const server = await rawServer()
    const url = server.url.replace('ws:', 'wss:')
    await expect(testServer(url, { timeoutFactor: 0.01 })).rejects.toThrow('no connection came about in time')
  })

  it('ends at once when it is told to', async () => {
    const server = await rawServer()
    const controller = new AbortController()
    const results: CaseResult[] = []
    const { signal } = controller
    const testing = testServer(server.url, { only: ['1'], signal, onResult: (result) => results.push(result) })
    const stopping = async (): Promise<void> => {
      await server.accept()
      await (await server.accept()).readHead()
      controller.abort(new Error('enough'))
    }
    await Promise.all([expect(testing).rejects.toThrow('enough'), stopping()])
    expect(results).toEqual([])
  })

  it('does not begin when it has been told not to', async () => {
    await expect(testServer('ws://localhost:1', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    )
  })

  it.each([
    ['no address', 'no address', {}],
    ['an address of HTTP', 'http://localhost:8080', {}],
    ['no case at all', 'ws://localhost:1', { only: [] }],
    ['a case that there is not', 'ws://localhost:1', { only: ['8'] }],
    ['no cases at once', 'ws://localhost:1', { concurrency: 0 }],
    ['half a case at once', 'ws://localhost:1', { concurrency: 1.5 }],
    ['a host of cases at once', 'ws://localhost:1', { concurrency: 65 }],
    ['no time', 'ws://localhost:1', { timeoutFactor: 0 }],
    ['all time', 'ws://localhost:1', { timeoutFactor: Infinity }],
    ['not a number', 'ws://localhost:1', { timeoutFactor: Number.NaN }],
  ])('refuses %s', async (_, url, options) => {
    await expect(testServer(url, options)).rejects.toThrow(RangeError)
  })

  it('takes the ports of ws: and wss: where the address has none', async () => {
    // Nobody listens there on a machine that runs tests, or somebody does and is no peer of ours.
    const aborted = { signal: AbortSignal.abort(new Error('enough')) }
    await expect(testServer('ws://localhost', aborted)).rejects.toThrow('enough')
    await expect(testServer('wss://localhost', aborted)).rejects.toThrow('enough')
  })
})
