// #region seeing-capture
import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from 'fullduplex'
import { ndjson, pcapng } from 'fullduplex/tap'

const server = await serve({ port: 8080, message: (ws, data) => ws.send(data) })
const capture = createWriteStream(join(tmpdir(), 'frames.pcapng'))
const lines = createWriteStream(join(tmpdir(), 'frames.ndjson'))
server.tap(pcapng(capture))
const sink = ndjson(lines, { maxBuffered: 1_048_576 })
server.tap(sink)
setInterval(() => {
  if (sink.dropped > 0) console.error(`${sink.dropped} frames are not in the file: the disk is too slow`)
}, 60_000).unref()
// #endregion

export { capture, lines }
