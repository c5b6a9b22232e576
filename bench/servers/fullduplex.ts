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

const message: Record<typeof mode | 'topics', NonNullable<Fullduplex.ServeOptions<number>['message']>> = {
  echo: (ws, data) => ws.send(data),
  deflate: (ws, data) => ws.send(data),
  answer: (ws, data) => ws.send(String(data.length)),
  broadcast: (_ws, data) => server.broadcast(data),
  topics: (ws, data) => server.publish(`topic ${next++ % ws.data}`, data),
}
let next = 0

const more: Partial<Record<typeof mode | 'topics', Fullduplex.ServeOptions<number>>> = {
  deflate: { perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false } },
  topics: {
    upgrade: ({ query }) => ({ data: Number(query.get('topics')) }),
    open(ws) {
      for (let topic = 0; topic < ws.data; topic++) ws.subscribe(`topic ${topic}`)
    },
  },
}

const server = await serve<number>({
  host,
  port: 0,
  maxMessageSize: LARGEST_MESSAGE,
  message: message[mode],
  ...more[mode],
})
announce(server.port ?? 0)
