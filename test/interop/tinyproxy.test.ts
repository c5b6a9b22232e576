/** Through somebody else's proxy: tinyproxy (`apt-get install tinyproxy-bin`). Left out where there is none, but not in CI. */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freePorts, listens } from '../../compat/support/ports.ts'
import { connect, serve } from '../../src/index.ts'
import { createAuthority } from '../support/certificates.ts'
import type { Certificate } from '../support/certificates.ts'

const installed = spawnSync('tinyproxy', ['-v']).status === 0

let certificate: Certificate
let ca: string
beforeAll(async () => {
  const authority = await createAuthority()
  certificate = await authority.issue()
  ca = authority.cert
})

/** Starts it, and answers where it listens. */
async function tinyproxy(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
  const [port] = await freePorts(1)
  const settings = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'MaxClients 20', 'BasicAuth user p.ss']
  writeFileSync(join(folder, 'settings'), `${settings.join('\n')}\n`)
  const child = spawn('tinyproxy', ['-d', '-c', join(folder, 'settings')], { stdio: 'ignore' })
  onTestFinished(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  })
  await listens(port, 10_000)
  return `localhost:${port}`
}

// In CI it has to be there.
describe.skipIf(!installed && process.env['CI'] === undefined)('tinyproxy', () => {
  it.each(['ws', 'wss'])('opens tunnels for %s:', async (scheme) => {
    const server = await serve({
      host: '127.0.0.1',
      port: 0,
      ...(scheme === 'wss' ? { tls: certificate } : {}),
      message: (ws, data) => ws.send(data),
    })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const proxy = await tinyproxy()
    const uri = `${scheme}://localhost:${server.port}/`
    const ws = await connect(uri, { proxy: `http://user:p%2Ess@${proxy}`, tls: { ca } })
    const large = 'through '.repeat(100_000)
    ws.send(large)
    for await (const message of ws) {
      expect(message).toBe(large)
      break
    }
    expect(await ws.close(1000)).toMatchObject({ code: 1000, wasClean: true })

    await expect(connect(uri, { proxy: `http://${proxy}` })).rejects.toMatchObject({
      code: 'ERR_WS_PROXY_REFUSED',
      status: 407,
    })
    await expect(connect('ws://localhost:1', { proxy: `http://user:p%2Ess@${proxy}` })).rejects.toMatchObject({
      code: 'ERR_WS_PROXY_REFUSED',
      status: 500,
    })
  })
})
