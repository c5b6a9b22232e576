/** Clients, as one writes them with ws, and here. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { HandshakeError, connect, reconnecting } from 'fullduplex'
import { headers } from '../../context.ts'

type Log = (...seen: unknown[]) => void

export const client = {
  async ws(url: string, log: Log) {
    // #region ws-client
    const ws = new WebSocket(url, ['chat.v2'], { headers, handshakeTimeout: 5_000 })

    ws.on('error', log) // without it, a host that cannot be reached ends the process
    ws.on('open', () => ws.send('hello'))
    ws.on('message', (data, isBinary) => {
      const message = isBinary ? data : (data as Buffer).toString()
      log(message)
      if (message === 'bye') ws.close(1000)
    })
    // #endregion
    await once(ws, 'close')
  },
  async fullduplex(url: string, log: Log) {
    // #region fullduplex-client
    const ws = await connect(url, { protocols: ['chat.v2'], headers, handshakeTimeout: 5_000 })

    ws.send('hello')
    for await (const message of ws) {
      log(message)
      if (message === 'bye') await ws.close(1000)
    }
    // #endregion
  },
}

export const refused = {
  ws(url: string, log: Log) {
    // #region ws-refused
    const ws = new WebSocket(url)

    ws.on('error', log)
    ws.on('unexpected-response', (request, response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        log(response.statusCode, response.headers['www-authenticate'], body)
        request.destroy() // who listens has to end it
      })
    })
    // #endregion
  },
  async fullduplex(url: string, log: Log) {
    // #region fullduplex-refused
    try {
      await connect(url)
    } catch (error) {
      if (!(error instanceof HandshakeError)) throw error
      log(error.status, error.headers.get('www-authenticate'), String(error.body))
    }
    // #endregion
  },
}

export const returning = {
  async ws(url: string, log: Log, minDelay: number, signal: AbortSignal) {
    // #region ws-reconnecting
    let ws: WebSocket
    let attempts = 0
    let timer: NodeJS.Timeout | undefined
    function start(): void {
      ws = new WebSocket(url, { followRedirects: true, maxRedirects: 5, family: 4 })
      ws.on('open', () => {
        attempts = 0
        ws.send('hello')
      })
      ws.on('message', (data) => log((data as Buffer).toString()))
      ws.on('error', () => {}) // 'close' follows
      ws.on('close', () => {
        const delay = Math.min(minDelay * 2 ** attempts++, 30_000)
        timer = setTimeout(start, delay * (1 + Math.random()))
      })
    }
    start()
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      ws.removeAllListeners('close').close()
    })
    // #endregion
    await once(signal, 'abort')
  },
  async fullduplex(url: string, log: Log, minDelay: number, signal: AbortSignal) {
    // #region fullduplex-reconnecting
    for await (const ws of reconnecting(url, { redirects: 5, family: 4, minDelay, signal })) {
      ws.send('hello')
      for await (const message of ws) log(message)
    }
    // #endregion
  },
}
