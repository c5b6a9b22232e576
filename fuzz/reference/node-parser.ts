/** What the parser of node:http, strict as it is by default, makes of a request: in process, over a Duplex in memory. */
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'

export interface NodeRequest {
  readonly url: string | undefined
  /** Names in lower case, values, as they came. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

type Finish = (request?: IncomingMessage) => void

let finish: Finish | undefined
const server = createServer({ insecureHTTPParser: false, requireHostHeader: false, maxHeaderSize: 65_536 })
for (const event of ['request', 'upgrade', 'checkContinue', 'checkExpectation']) {
  server.on(event, (request: IncomingMessage) => finish?.(request))
}
server.on('clientError', () => finish?.())
server.maxHeadersCount = 0

/** The request in `octets`, or `undefined` if node refuses it. */
export function parseWithNode(octets: Buffer): Promise<NodeRequest | undefined> {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  return new Promise((resolve) => {
    finish = (request) => {
      finish = undefined
      const raw = request?.rawHeaders ?? []
      const fields = raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1]] as const] : []))
      resolve(request === undefined ? undefined : { url: request.url, fields })
      socket.destroy()
    }
    server.emit('connection', socket)
    socket.push(octets)
    socket.push(null)
  })
}
