/**
 * What the server does with a message that everybody is tried against: it sends it back, unless it is a text that tells
 * it to do something else.
 *
 *     !request              answer what the opening handshake was, and what was agreed upon, as JSON
 *     !close CODE REASON    close
 *     !terminate            end TCP, without a closing handshake
 *     !ping PAYLOAD         send a Ping; `pong PAYLOAD` follows when its Pong is here
 *     !fragments LENGTH     answer so many x, in fragments of 100
 *     !broadcast TEXT       send the text to all connections
 *     !closed ID            answer how the connection ended that came with `?id=ID`, as JSON, once it has
 *     !refusals             answer the origins of handshakes that were refused, as JSON
 *
 * `/` compresses each message by itself, `/context` lets messages refer back to others, `/heartbeat` sends Pings by
 * itself, and `/refused` answers 403.
 */
import { createHandler } from 'fullduplex'
import type { CloseInfo, HandlerOptions, ServerConnection, UpgradeRequest, WebSocketHandler } from 'fullduplex'

type Link = ServerConnection<UpgradeRequest>
type Handler = WebSocketHandler<UpgradeRequest>

const LARGEST_MESSAGE = 16 * 1024 * 1024
/** Milliseconds of silence before a Ping of `/heartbeat`. */
const HEARTBEAT = 200

export function createHandlers(): Handler[] {
  const ends = new Ends()
  const refusals: (string | undefined)[] = []
  const told: Told = { ends, refusals, broadcast: (text) => handlers.map((handler) => handler.broadcast(text)) }
  const common: HandlerOptions<UpgradeRequest> = {
    maxMessageSize: LARGEST_MESSAGE,
    maxBufferedAmount: 8 * LARGEST_MESSAGE,
    protocols: ['chat.v2', 'chat.v1'],
    perMessageDeflate: true,
    upgrade: (request) => ({ data: request }),
    message: (ws, data) => {
      if (typeof data !== 'string' || !obey(ws, data, told)) ws.send(data)
    },
    pong: (ws, payload) => ws.send(`pong ${payload.toString()}`),
    close: (ws, info) => ends.tell(ws.data.query.get('id'), info),
    handshakeError: (_error, request) => refusals.push(request?.origin),
  }
  const handlers = [
    createHandler({ ...common, path: '/' }),
    createHandler({
      ...common,
      path: '/context',
      perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, threshold: 0 },
    }),
    createHandler({
      ...common,
      path: '/heartbeat',
      pong: () => {},
      heartbeat: { interval: HEARTBEAT, timeout: 30_000 },
    }),
    createHandler({ ...common, path: '/refused', upgrade: () => ({ status: 403, body: 'not you' }) }),
  ]
  return handlers
}

/** What commands are about beside their own connection. */
interface Told {
  readonly ends: Ends
  readonly refusals: readonly (string | undefined)[]
  broadcast(text: string): void
}

/** Answers whether it was one of the things that it can be told. */
function obey(ws: Link, text: string, { ends, refusals, broadcast }: Told): boolean {
  const [, command, words] = /^!(\w+) ?(.*)$/s.exec(text) ?? []
  switch (command) {
    case 'request':
      ws.send(JSON.stringify(described(ws)))
      return true
    case 'close': {
      const [code, ...reason] = words.split(' ')
      void ws.close(Number(code), reason.join(' '))
      return true
    }
    case 'terminate':
      ws.terminate()
      return true
    case 'ping':
      ws.ping(words)
      return true
    case 'fragments':
      ws.send('x'.repeat(Number(words)), { fragmentSize: 100 })
      return true
    case 'broadcast':
      broadcast(words)
      return true
    case 'closed':
      void ends.of(words).then((end) => ws.send(JSON.stringify(end)))
      return true
    case 'refusals':
      ws.send(JSON.stringify(refusals))
      return true
    default:
      return false
  }
}

function described(ws: Link): object {
  const { path, secure, origin, headers } = ws.data
  const { protocol, extensions, remoteAddress } = ws
  return { path, secure, origin, remoteAddress, protocol, extensions, headers: [...headers] }
}

type End = Pick<CloseInfo, 'code' | 'reason' | 'wasClean' | 'initiator'>

/** How connections ended that have a name; who asks too early is answered later. */
class Ends {
  readonly #told = new Map<string, End>()
  readonly #waiting = new Map<string, (end: End) => void>()

  tell(id: string | null, { code, reason, wasClean, initiator }: End): void {
    if (id === null) return
    const end = { code, reason, wasClean, initiator }
    this.#told.set(id, end)
    this.#waiting.get(id)?.(end)
  }

  async of(id: string): Promise<End> {
    return this.#told.get(id) ?? new Promise((resolve) => this.#waiting.set(id, resolve))
  }
}
