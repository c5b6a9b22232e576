/** Deno's own server. It takes no options for compression or sizes. */
import { announce, host, mode } from './mode.ts'

const sockets = new Set<Deno.Upgrade['socket']>()

const message: Record<typeof mode, (socket: Deno.Upgrade['socket'], data: string | ArrayBuffer) => void> = {
  echo: (socket, data) => socket.send(data),
  deflate: (socket, data) => socket.send(data),
  answer: (socket, data) => socket.send(String(typeof data === 'string' ? data.length : data.byteLength)),
  broadcast(_socket, data) {
    for (const socket of sockets) socket.send(data)
  },
}

Deno.serve({ hostname: host, port: 0, onListen: ({ port }) => announce(port) }, (request) => {
  if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') return new Response('', { status: 426 })
  const { socket, response } = Deno.upgradeWebSocket(request)
  socket.binaryType = 'arraybuffer'
  socket.onopen = () => sockets.add(socket)
  socket.onclose = () => sockets.delete(socket)
  socket.onerror = () => {}
  socket.onmessage = ({ data }) => message[mode](socket, data)
  return response
})
