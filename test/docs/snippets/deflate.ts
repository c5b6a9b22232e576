import { seen } from '../context.ts'

// #region deflate
import { connect, serve } from 'fullduplex'

const server = await serve({
  port: 8080,
  perMessageDeflate: true, // off unless given; each message by itself, from 1 KiB on
  message: (ws, data) => ws.send(data),
})

const ws = await connect('ws://localhost:8080', { perMessageDeflate: true })
ws.send('a secret', { compress: false }) // lengths of compressed messages tell something about them
server.broadcast('compressed once for all '.repeat(100))
// #endregion

seen.push(ws)
