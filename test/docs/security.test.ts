/** The example of docs/security.md is tighter than the defaults, in what it does. */
import { expect, it } from 'vitest'
import { connect } from 'fullduplex'

it('security: a server with tighter limits', async () => {
  const { server } = await import('./snippets/security.ts')
  const headers = { origin: 'https://app.example' }
  const ws = await connect(server.url, { headers })
  ws.send('x'.repeat(4097))
  expect(await ws.closed).toMatchObject({ code: 1009 })
  await expect(connect(server.url, { headers: { origin: server.url.replace('ws', 'http') } })).rejects.toMatchObject({
    status: 403,
  })
  await expect(connect(server.url, { headers: { ...headers, x: 'y'.repeat(4096) } })).rejects.toMatchObject({
    status: 431,
  })
  await server.shutdown()
})
