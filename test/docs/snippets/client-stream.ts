import { seen } from '../context.ts'
// #region client-stream
import { connect as connectTcp } from 'node:net'
import { connect } from 'fullduplex'

const ws = await connect('ws://localhost:8080', {
  // Any Duplex will do, or a promise of one: a SOCKS proxy, a channel of SSH, a pipe in memory.
  createConnection: ({ host, port }) => connectTcp({ host, port, keepAlive: true }),
})
// #endregion
ws.send('hello')
for await (const message of ws) {
  seen.push(message)
  await ws.close()
}
