import { describe, expect, it } from 'vitest'
import { establish } from '../../src/client/establish.ts'
import { expectOpen, rawServer } from '../support/raw-server.ts'

const ALLOWED = { host: '127.0.0.1' }

describe('establish', () => {
  it('connects to a port that browsers allow, as connect does', async () => {
    const server = await rawServer(ALLOWED)
    const connecting = establish(new URL(server.url), { headers: { cookie: 'sid=1' } })
    await server.open()
    await expectOpen(connecting)
  })

  it.each([0, 22, 25, 6000, 6667, 10_080])('rejects for port %i, without a try', async (port) => {
    const connecting = establish(new URL(`ws://localhost:${port}/`), {})
    await expect(connecting).rejects.toMatchObject({ name: 'HandshakeError', code: 'ERR_WS_BLOCKED_PORT' })
    await expect(connecting).rejects.toThrow(`Port ${port} `)
  })

  it('checks its options all the same', () => {
    expect(() => establish(new URL('ws://localhost:25/'), { handshakeTimeout: 0 })).toThrow(RangeError)
  })

  it('takes no port for one that is left out', async () => {
    const signal = AbortSignal.abort('stop')
    for (const url of ['ws://localhost/', 'wss://localhost/', 'ws://localhost:443/', 'wss://localhost:80/']) {
      await expect(establish(new URL(url), { signal })).rejects.toBe('stop')
    }
  })
})
