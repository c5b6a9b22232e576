// #region handler
import { readFile } from 'node:fs/promises'
import { serve } from 'fullduplex'

const server = await serve({
  port: 8080,
  async open(ws) {
    // Messages wait until this has settled.
    ws.send(await readFile('package.json', 'utf8'))
  },
  message(ws, data, isBinary) {
    if (isBinary) throw new Error('text only, please') // closes this connection with 1011, and harms no other
    ws.send(data)
  },
  close(_ws, info) {
    console.log(info) // { code: 1000, reason: 'done', wasClean: true, initiator: 'peer' }
  },
  error(ws, error) {
    console.error(ws.remoteAddress, error) // at most once, before close
  },
  handshakeError(error, request) {
    console.error('refused', request?.path, error.message)
  },
})
// #endregion
export { server }
