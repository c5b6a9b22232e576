/**
 * "Establish a WebSocket connection", as the classes of the standard do it: `connect`, but not to every port. On these
 * live services older than the web, and a page that could reach them could be made to speak to them; so browsers refuse
 * them (Fetch, "port blocking"), and what runs here is to run there. `connect` itself goes anywhere.
 */
import type { Connection } from '../connection/index.ts'
import { HandshakeError } from '../errors.ts'
import { connect } from './connect.ts'
import type { ConnectOptions } from './connect.ts'

/** "A port is a bad port if it is listed in the first column of the following table." */
const BAD_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080,
])

/** As `connect`; rejects with `ERR_WS_BLOCKED_PORT` for a port that browsers block. */
export function establish(record: URL, options: ConnectOptions): Promise<Connection<undefined>> {
  const port = record.port
  const isBlocked = port !== '' && BAD_PORTS.has(Number(port))
  return connect(record, isBlocked ? { ...options, signal: AbortSignal.abort(blocked(port)) } : options)
}

function blocked(port: string): HandshakeError {
  const message = `Port ${port} is one of those that browsers connect no WebSocket to; connect() does`
  return new HandshakeError('ERR_WS_BLOCKED_PORT', message)
}
