/** Sending, and being there, as one writes it with ws, and here. */
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WebSocket, WebSocketServer, createWebSocketStream } from 'ws'
import { serve, toDuplex } from 'fullduplex'
import type { Connection } from 'fullduplex'

export const broadcast = {
  ws(port: number) {
    const wss = new WebSocketServer({ port })
    // #region ws-broadcast
    wss.on('connection', (ws) => {
      ws.on('error', console.error)
      ws.on('message', (data, isBinary) => {
        for (const client of wss.clients) {
          // Encoded anew for each of them.
          if (client !== ws && client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary })
        }
      })
    })
    // #endregion
    return wss
  },
  fullduplex(port: number) {
    // #region fullduplex-broadcast
    const server = serve({
      port,
      open: (ws) => ws.subscribe('lobby'),
      message: (ws, data) => ws.publish('lobby', data), // to the others; `server.broadcast(data)` is for all
    })
    // #endregion
    return server
  },
}

export const heartbeat = {
  ws(port: number, interval: number) {
    const wss = new WebSocketServer({ port })
    // #region ws-heartbeat
    const alive = new WeakSet<WebSocket>()

    wss.on('connection', (ws) => {
      ws.on('error', console.error)
      alive.add(ws)
      ws.on('pong', () => alive.add(ws))
    })

    const timer = setInterval(() => {
      for (const ws of wss.clients) {
        if (alive.delete(ws)) ws.ping()
        else ws.terminate()
      }
    }, interval)

    wss.on('close', () => clearInterval(timer))
    // #endregion
    return wss
  },
  fullduplex(port: number, interval: number) {
    const timeout = interval
    // #region fullduplex-heartbeat
    const server = serve({ port, heartbeat: { interval, timeout } }) // when not given: 30 s and 30 s
    // #endregion
    return server
  },
}

export const backpressure = {
  // #region ws-backpressure
  async ws(ws: WebSocket, chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      await new Promise<void>((resolve, reject) => {
        ws.send(chunk, (error) => (error ? reject(error) : resolve())) // one at a time
      })
    }
  },
  // #endregion
  // #region fullduplex-backpressure
  async fullduplex(ws: Connection, chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      if (!ws.send(chunk)) await ws.drained() // as many at a time as fit below the high-water mark
    }
  },
  // #endregion
}

export const streams = {
  async ws(ws: WebSocket, source: Readable, target: Writable) {
    // #region ws-stream
    const duplex = createWebSocketStream(ws) // octets: which were text, and where a message ended, is lost
    await Promise.all([pipeline(source, duplex), pipeline(duplex, target)])
    // #endregion
  },
  async fullduplex(ws: Connection, source: Readable, target: Writable) {
    // #region fullduplex-stream
    const duplex = toDuplex(ws) // a chunk is a message, text a string
    await Promise.all([pipeline(source, duplex), pipeline(duplex, target)])
    // #endregion
  },
}

export const control = {
  ws(ws: WebSocket, log: (...seen: unknown[]) => void) {
    // #region ws-control
    ws.pause()
    setImmediate(() => ws.resume())
    ws.on('pong', (payload) => log(payload.toString()))
    ws.ping('are you there?')
    ws.on('close', (code, reason) => log(code, reason.toString()))
    ws.close(1000, 'done') // or, at once, ws.terminate()
    // #endregion
  },
  async fullduplex(ws: Connection, log: (...seen: unknown[]) => void) {
    // #region fullduplex-control
    ws.pause()
    setImmediate(() => ws.resume())
    ws.ping('are you there?') // its answer goes to `pong` of the handler
    const { code, reason } = await ws.close(1000, 'done') // or, at once, ws.terminate()
    log(code, reason)
    // #endregion
  },
}
