/** Deno's own server. It takes no options for compression or sizes. */
import { answer } from '../support/echo.ts'
import { announce, host, port } from '../support/listen.ts'

Deno.serve({ hostname: host, port, onListen: (address) => announce(address.port) }, (request) => {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return new Response('', { status: 426 })
  const { socket, response } = Deno.upgradeWebSocket(request)
  socket.binaryType = 'arraybuffer'
  socket.onerror = () => {}
  socket.onmessage = ({ data }) => answer(socket, typeof data === 'string' ? data : new Uint8Array(data))
  return response
})
