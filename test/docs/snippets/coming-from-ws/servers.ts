/** Servers, as one writes them with ws, and here. The tests put both of a pair to the same proof. */
import type { Server as HttpServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { attach, createHandler, serve } from 'fullduplex'
import type { WebSocketServer as Server } from 'fullduplex'

export const echo = {
  ws(port: number) {
    // #region ws-echo
    const wss = new WebSocketServer({ port })

    wss.on('connection', (ws) => {
      ws.on('error', console.error) // without a listener, what a peer does wrong ends the process
      ws.on('message', (data, isBinary) => {
        ws.send(data, { binary: isBinary }) // text comes as a Buffer, too
      })
    })
    // #endregion
    return wss
  },
  fullduplex(port: number) {
    // #region fullduplex-echo
    const server = serve({
      port,
      message: (ws, data) => ws.send(data), // text is a string, and leaves as text
    })
    // #endregion
    return server
  },
}

interface Member {
  name: string
}

export const known = {
  ws(port: number) {
    const wss = new WebSocketServer({ port })
    // #region ws-data
    wss.on('connection', (ws, request) => {
      ws.on('error', console.error)
      const { searchParams } = new URL(request.url ?? '/', 'ws://localhost')
      const name = searchParams.get('name') ?? 'anonymous'
      ws.on('message', (data) => ws.send(`${name}: ${(data as Buffer).toString()}`)) // a listener for each connection
    })
    // #endregion
    return wss
  },
  fullduplex(port: number) {
    // #region fullduplex-data
    const server = serve<Member>({
      port,
      upgrade: ({ query }) => ({ data: { name: query.get('name') ?? 'anonymous' } }),
      message: (ws, text) => ws.send(`${ws.data.name}: ${String(text)}`), // one function for all of them
    })
    // #endregion
    return server
  },
}

/** Who has a cookie that we know. */
async function authenticate(cookie: string | undefined): Promise<Member | undefined> {
  await Promise.resolve()
  return cookie === 'sid=valid' ? { name: 'Ada' } : undefined
}

export const onHttpServer = {
  ws(httpServer: HttpServer) {
    // #region ws-http
    const wss = new WebSocketServer({ noServer: true })

    wss.on('connection', (ws) => {
      ws.on('error', console.error)
      ws.send('welcome')
    })

    httpServer.on('upgrade', (request, socket, head) => {
      const onError = (error: Error) => {
        console.error(error)
        socket.destroy()
      }
      socket.on('error', onError) // it may fail while we are asking, and nobody else listens
      const refuse = (status: string) => socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`)

      const { pathname } = new URL(request.url ?? '/', 'ws://localhost')
      if (pathname !== '/chat') {
        refuse('404 Not Found')
        return
      }
      authenticate(request.headers.cookie).then(
        (member) => {
          if (member === undefined) {
            refuse('401 Unauthorized')
            return
          }
          socket.off('error', onError)
          wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request))
        },
        () => refuse('500 Internal Server Error'),
      )
    })
    // #endregion
  },
  fullduplex(httpServer: HttpServer) {
    // #region fullduplex-http
    const chat = createHandler<Member>({
      path: '/chat', // others get 404
      async upgrade(request) {
        const member = await authenticate(request.headers.get('cookie'))
        return member === undefined ? { status: 401 } : { data: member } // and 500 if it throws
      },
      open: (ws) => ws.send('welcome'),
    })

    attach(httpServer, chat)
    // #endregion
  },
}

export const verified = {
  ws(port: number) {
    // #region ws-verify
    const wss = new WebSocketServer({
      port,
      verifyClient({ origin, req }, done) {
        // Cookies come with a request of any page that a user visits, so its origin has to be looked at.
        if (origin !== undefined && origin !== 'https://app.example') {
          done(false, 403, 'Forbidden')
          return
        }
        authenticate(req.headers.cookie).then(
          (member) => done(member !== undefined, 401, 'Unauthorized', { 'WWW-Authenticate': 'Bearer' }),
          () => done(false, 500, 'Internal Server Error'),
        )
      },
    })
    // #endregion
    return wss
  },
  fullduplex(port: number) {
    // #region fullduplex-verify
    const server = serve({
      port,
      origins: ['https://app.example'], // when not given: the server's own host
      async upgrade(request) {
        const member = await authenticate(request.headers.get('cookie'))
        return member === undefined ? { status: 401, headers: { 'www-authenticate': 'Bearer' } } : { data: member }
      },
    })
    // #endregion
    return server
  },
}

export const protocols = {
  ws(port: number) {
    // #region ws-protocols
    const wss = new WebSocketServer({
      port,
      handleProtocols(offered) {
        if (offered.has('chat.v2')) return 'chat.v2'
        return offered.has('chat.v1') ? 'chat.v1' : false
      },
    })
    // #endregion
    return wss
  },
  fullduplex(port: number) {
    // #region fullduplex-protocols
    const server = serve({ port, protocols: ['chat.v2', 'chat.v1'] }) // or a function
    // #endregion
    return server
  },
}

export const limits = {
  ws(port: number) {
    // #region ws-limits
    const wss = new WebSocketServer({ port, backlog: 1024, maxPayload: 64 * 1024 })

    wss.on('connection', (ws) => {
      ws.on('error', console.error) // it is told that a message was too big, too
      if (wss.clients.size > 10_000) ws.close(1013, 'full') // the handshake is over by then
    })
    // #endregion
    return wss
  },
  fullduplex(port: number) {
    // #region fullduplex-limits
    const server = serve({
      port,
      backlog: 1024,
      maxMessageSize: 64 * 1024,
      maxConnections: 10_000, // beyond them the handshake is answered with 503
      maxConnectionsPerAddress: 100,
    })
    // #endregion
    return server
  },
}

export const compression = {
  ws(port: number) {
    // #region ws-deflate
    const wss = new WebSocketServer({
      port,
      perMessageDeflate: {
        threshold: 1024,
        zlibDeflateOptions: { level: 3, memLevel: 8 },
        serverNoContextTakeover: true, // otherwise each connection keeps a zlib of its own
        clientNoContextTakeover: true,
        concurrencyLimit: 10,
      },
    })
    // #endregion
    wss.on('connection', (ws) => ws.send('a'.repeat(2000)))
    return wss
  },
  fullduplex(port: number) {
    const open = (ws: { send(text: string): boolean }): boolean => ws.send('a'.repeat(2000))
    // #region fullduplex-deflate
    const server = serve({
      port,
      perMessageDeflate: true, // as above; or { threshold, level, memLevel, … }
      open,
    })
    // #endregion
    return server
  },
}

export const ends = {
  ws(port: number, log: (...seen: unknown[]) => void) {
    const wss = new WebSocketServer({ port })
    // #region ws-ends
    wss.on('connection', (ws) => {
      ws.on('close', (code, reason) => log(code, reason.toString())) // who began it, and why, is not told
      ws.on('error', log)
    })
    wss.on('wsClientError', (error, socket) => {
      log(error.message)
      socket.destroy() // who listens has to answer
    })
    // #endregion
    return wss
  },
  fullduplex(port: number, log: (...seen: unknown[]) => void) {
    // #region fullduplex-ends
    const server = serve({
      port,
      close: (_ws, { code, reason, wasClean, initiator, cause }) => log(code, reason, wasClean, initiator, cause),
      error: (_ws, error) => log(error), // before close, when something went wrong
      handshakeError: (error) => log(error.message), // has been answered
    })
    // #endregion
    return server
  },
}

export const shutdown = {
  ws(wss: WebSocketServer) {
    // #region ws-shutdown
    const ended = new Promise((resolve) => {
      wss.close(resolve)
    })
    for (const ws of wss.clients) ws.close(1001)
    const timer = setTimeout(() => {
      for (const ws of wss.clients) ws.terminate()
    }, 5_000)
    const done = ended.then(() => clearTimeout(timer))
    // #endregion
    return done
  },
  fullduplex(server: Server) {
    // #region fullduplex-shutdown
    const done = server.shutdown({ code: 1001, timeout: 5_000 })
    // #endregion
    return done
  },
}
