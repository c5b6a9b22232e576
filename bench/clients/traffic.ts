/**
 * What every client of the bench does: keeps so many connections busy, each with batches of messages, the next of which goes when all
 * of the last have come back. Runs in Node, Bun and Deno, as `PROGRAM URL CONNECTIONS OCTETS text|binary MESSAGES`, until it is killed.
 */
import process from 'node:process'

/** A connection, as far as it is needed: `send` is there when it is open. */
export interface Link {
  send(data: string | Uint8Array): unknown
}

/** Opens a connection to `url`, calls `opened` once, and `message` for each message. */
type Open = (url: string, opened: (link: Link) => void, message: (link: Link) => void) => void

export function keepBusy(open: Open): void {
  const [url, connections, size, kind, messages] = process.argv.slice(-5)
  const text = 'a message '.repeat(Math.ceil(Number(size) / 10)).slice(0, Number(size))
  const data = kind === 'text' ? text : new TextEncoder().encode(text)
  const batch = Number(messages)
  for (let index = 0; index < Number(connections); index++) connect(url)

  function connect(to: string): void {
    let waiting = batch
    const sendBatch = (link: Link): void => {
      waiting = batch
      for (let sent = 0; sent < batch; sent++) link.send(data)
    }
    open(to, sendBatch, (link) => {
      if (--waiting === 0) sendBatch(link)
    })
  }
}

/** The class of the WHATWG, as far as it is needed. */
interface StandardWebSocket extends Link {
  binaryType: string
  onopen: (() => void) | null
  onmessage: (() => void) | null
}

/** For those who have that class: undici, Node, Bun and Deno. */
export function standard(WebSocket: new (url: string) => unknown): Open {
  return (url, opened, message) => {
    const ws = new WebSocket(url) as StandardWebSocket
    ws.binaryType = 'arraybuffer'
    ws.onopen = () => opened(ws)
    ws.onmessage = () => message(ws)
  }
}
