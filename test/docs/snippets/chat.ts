// #region chat
import { serve } from 'fullduplex'

interface Member {
  name: string
}

const chat = await serve<Member>({
  port: 8080,
  upgrade: (request) => ({ data: { name: request.query.get('name') ?? 'anonymous' } }),
  open: (ws) => ws.subscribe('lobby'),
  message: (ws, text) => {
    chat.publish('lobby', `${ws.data.name}: ${String(text)}`) // encoded once, however many receive it
  },
  close: (ws, { code, reason, wasClean, initiator }) => {
    chat.publish('lobby', `${ws.data.name} has left (${code} ${reason}, ${wasClean ? 'clean' : 'lost'}, ${initiator})`)
  },
})

chat.broadcast('to everyone') // to all connections, whatever they subscribed to
console.log(chat.connections.size)
// Stops accepting, says 1001, waits, then ends.
process.once('SIGTERM', () => void chat.shutdown({ code: 1001, timeout: 5_000 }))
// #endregion
