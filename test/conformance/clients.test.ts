import { connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testClients } from '../../src/conformance/index.ts'
import type { ClientRun, ClientRunOptions } from '../../src/conformance/index.ts'
import { RawClient } from '../support/raw-client.ts'
import { KEY, frame } from '../support/wire.ts'
import { driveClient, ourClient } from './endpoints.ts'
import { CLOSE_1000 } from './stage.ts'

async function listen(options: ClientRunOptions): Promise<ClientRun> {
  const run = await testClients(options)
  onTestFinished(() => run.close())
  return run
}

/** A client that has asked for `target`. */
async function ask(run: ClientRun, target: string): Promise<RawClient> {
  const { hostname, port } = new URL(run.url)
  const client = await RawClient.connect({ host: hostname, port: Number(port) })
  onTestFinished(() => void client.destroy())
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  return client.write(
    `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  )
}

/** Asks for it, answers the Close frame, and tells the first text message. */
async function visit(run: ClientRun, target: string): Promise<string | undefined> {
  const client = await ask(run, target)
  await client.readHead()
  let text: string | undefined = undefined
  for (;;) {
    const { firstOctet, payload } = await client.readFrame()
    if (firstOctet === 0x88) break
    text ??= payload.toString()
    client.write(frame(firstOctet, payload, { key: KEY }))
  }
  client.write(frame(0x88, CLOSE_1000, { key: KEY }))
  await client.readToEnd()
  client.end()
  await client.closed
  return text
}

describe('testClients', () => {
  it('tells how many connections there will be, plays a case on each, and then reports', async () => {
    const heard: string[] = []
    const run = await listen({
      only: ['1.1.1', '1.1.2', '1.2.1'],
      onResult: (result, done, total) => heard.push(`${result.id} ${done}/${total}`),
    })
    expect(run.caseCount).toBe(3)
    expect(await visit(run, '/getCaseCount')).toBe('3')
    for (const number of [2, 1, 3]) await visit(run, `/runCase?case=${number}&agent=me`)
    await visit(run, '/updateReports?agent=me%0A')
    const report = await run.finished
    expect(report.peer).toEqual({ role: 'client', name: 'me\\n' })
    expect(report.results.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(['1.1.1 OK', '1.1.2 OK', '1.2.1 OK'])
    expect(heard).toEqual(['1.1.2 1/3', '1.1.1 2/3', '1.2.1 3/3'])
  })

  it('takes many connections at once', async () => {
    const report = await driveClient(ourClient, { only: ['1', '2'], concurrency: 16 })
    expect(new Set(report.results.map(({ verdict }) => verdict))).toEqual(new Set(['OK']))
    expect(report.results).toHaveLength(27)
  })

  it('waits for the cases that are running', async () => {
    const run = await listen({ only: ['1.1.1', '1.1.2'] })
    const first = await ask(run, '/runCase?case=1')
    await first.readHead()
    await visit(run, '/runCase?case=2')
    await visit(run, '/updateReports')
    first.end()
    const report = await run.finished
    expect(report.peer.name).toBe('a client')
    expect(report.results.map(({ verdict, close }) => `${verdict} ${close}`)).toEqual(['FAILED WRONG SIDE', 'OK OK'])
  })

  it('fails the cases that the client did not run', async () => {
    const run = await listen({ only: ['1.1.1', '1.1.2'] })
    await visit(run, '/runCase?case=2')
    await visit(run, '/updateReports')
    const [{ verdict, close, explanation }, { verdict: other }] = (await run.finished).results
    expect([verdict, close, explanation]).toEqual([
      'FAILED',
      'NO HANDSHAKE',
      'the client did not connect for this case',
    ])
    expect(other).toBe('OK')
  })

  it('keeps the first result of a number', async () => {
    const run = await listen({ only: ['1.1.1'] })
    await visit(run, '/runCase?case=1')
    const again = await ask(run, '/runCase?case=1')
    await again.readHead()
    again.end()
    await again.closed
    await visit(run, '/updateReports')
    expect((await run.finished).results.map(({ verdict }) => verdict)).toEqual(['OK'])
  })

  it.each([
    '/',
    '/runCase',
    '/runCase?case=0',
    '/runCase?case=2',
    '/runCase?case=one',
    'http://elsewhere/runCase',
    '//[',
  ])('has nothing for %s', async (target) => {
    const run = await listen({ only: ['1.1.1'] })
    const client = await ask(run, target)
    expect((await client.readResponse()).status).toBe(404)
    client.end()
    await client.closed
  })

  it('does not wait for a client that asks for nothing', async () => {
    const run = await listen({ only: ['1.1.1'], timeoutFactor: 0.01 })
    const { hostname, port } = new URL(run.url)
    const client = await RawClient.connect({ host: hostname, port: Number(port) })
    expect(await client.readToEnd()).toHaveLength(0)
    client.end()
  })

  it('ends everybody when it is closed, and then reports what there is', async () => {
    const run = await testClients({ only: ['1.1.1'] })
    const client = await ask(run, '/runCase?case=1')
    await client.readHead()
    await run.close()
    await client.readToEnd()
    expect((await run.finished).results).toHaveLength(1)
    const { hostname, port } = new URL(run.url)
    await expect(
      new Promise((resolve, reject) => connect(Number(port), hostname).on('connect', resolve).on('error', reject)),
    ).rejects.toThrow('ECONNREFUSED')
  })

  it('ends when it is told to', async () => {
    const controller = new AbortController()
    const run = await testClients({ only: ['1.1.1'], signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(run.finished).rejects.toThrow('enough')
    await run.close()
  })

  it('does not begin when it has been told not to', async () => {
    await expect(testClients({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  it('listens on IPv6', async () => {
    const run = await listen({ only: ['1.1.1'], host: '::1' })
    expect(run.url).toMatch(/^ws:\/\/\[::1\]:\d+$/)
  })

  it('rejects when it cannot listen', async () => {
    const run = await listen({ only: ['1.1.1'] })
    await expect(testClients({ port: Number(new URL(run.url).port) })).rejects.toThrow('EADDRINUSE')
  })
})
