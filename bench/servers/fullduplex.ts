/**
 * The library of this project as it is built: that of FULLDUPLEX_DIST, a folder, or else of this checkout. It has compression
 * with context in both directions, as the others have it who have it at all.
 */
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type * as Fullduplex from 'fullduplex'
import { LARGEST_MESSAGE, announce, host, mode } from './mode.ts'

const folder = process.env['FULLDUPLEX_DIST'] ?? fileURLToPath(new URL('../../../dist', import.meta.url))
const { serve } = (await import(pathToFileURL(join(folder, 'index.js')).href)) as typeof Fullduplex

const message: Record<typeof mode, NonNullable<Fullduplex.HandlerOptions['message']>> = {
  echo: (ws, data) => ws.send(data),
  deflate: (ws, data) => ws.send(data),
  answer: (ws, data) => ws.send(String(data.length)),
  broadcast: (_ws, data) => server.broadcast(data),
}

const server = await serve({
  host,
  port: 0,
  maxMessageSize: LARGEST_MESSAGE,
  ...(mode === 'deflate' && {
    perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false },
  }),
  message: message[mode],
})
announce(server.port ?? 0)
