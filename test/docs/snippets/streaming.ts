// #region streaming
import { createReadStream, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { connect, serve, toDuplex } from 'fullduplex'

/** Takes messages of any size: each goes to a file as it comes, and a slow disk makes the peer wait. */
await serve({
  port: 8080,
  async open(ws) {
    for await (const message of ws.messages({ stream: true, maxMessageSize: 2 ** 40 })) {
      await pipeline(message, createWriteStream(join(tmpdir(), 'upload')))
      ws.send('stored')
    }
  },
})

/** Sends a file as one message, a fragment for each chunk that is read. */
export async function upload(path: string): Promise<void> {
  await using ws = await connect('ws://localhost:8080')
  await ws.sendStream(createReadStream(path))
  for await (const answer of ws) if (answer === 'stored') return
}

/** As streams of Node, with a message for each chunk; `toWebStreams` does the same for streams of the web. */
export async function relay(from: string, to: string): Promise<void> {
  const [one, other] = [toDuplex(await connect(from)), toDuplex(await connect(to))]
  await Promise.all([pipeline(one, other), pipeline(other, one)])
}
// #endregion
