/** Bun's own server, with compression; its limits are raised for the kit's largest messages. */
import { LARGEST_MESSAGE, LARGEST_QUEUE, answer } from '../support/echo.ts'
import { announce, host, port } from '../support/listen.ts'

const { port: actualPort } = Bun.serve({
  hostname: host,
  port,
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('', { status: 426 })),
  websocket: {
    perMessageDeflate: true,
    maxPayloadLength: LARGEST_MESSAGE,
    backpressureLimit: LARGEST_QUEUE,
    message: (ws, message) => answer(ws, message),
  },
})
announce(actualPort)
