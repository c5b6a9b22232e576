/** permessage-deflate on a client (RFC 7692): what it offers, and what it makes of the answer. */
import { constants, inflateRawSync } from 'node:zlib'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket, connect } from '../../src/client/index.ts'
import { deflated } from '../support/deflate.ts'
import { acceptance, rawServer } from '../support/raw-server.ts'
import { received } from '../support/wire.ts'

const WORDS = 'the same words over and over, '.repeat(60)
const accepting = (value: string): { 'Sec-WebSocket-Extensions': string } => ({ 'Sec-WebSocket-Extensions': value })

/** What a request offers. */
function field(request: string): string | undefined {
  return /^Sec-WebSocket-Extensions: (.*)\r$/m.exec(request)?.[1]
}

describe('A client', () => {
  it.each([
    ['nothing unless it is told to [V32]', {}, undefined],
    [
      'it in two forms, as a server may not do what it wants [7692:5-01] [7692:5-02]',
      { perMessageDeflate: true },
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, permessage-deflate; client_no_context_takeover; client_max_window_bits',
    ],
    [
      'what its options say [7692:5-03]',
      {
        perMessageDeflate: { serverNoContextTakeover: false, clientNoContextTakeover: false, clientMaxWindowBits: 10 },
      },
      'permessage-deflate; client_max_window_bits=10',
    ],
  ])('offers %s', async (_what, options, offered) => {
    const server = await rawServer()
    const connecting = connect(server.url, options)
    const peer = await server.accept()
    const request = await peer.readHead()
    expect(field(request)).toBe(offered)
    peer.write(acceptance(request))
    const ws = await connecting
    // 5: a server that answers without it has declined, and that is all.
    expect(ws.extensions).toBe('')
    ws.terminate()
  })

  it('compresses and inflates as was agreed upon [7692:5-13]', async () => {
    const server = await rawServer()
    const connecting = connect(server.url, { perMessageDeflate: true })
    const peer = await server.accept()
    const request = await peer.readHead()
    const payload = deflated(WORDS)
    // With the first message in the same segment.
    const head = acceptance(request, accepting('permessage-deflate; client_no_context_takeover'))
    peer.write(Buffer.concat([Buffer.from(head), received('client', 0xc1, payload)]))
    const ws = await connecting
    expect(ws.extensions).toBe('permessage-deflate; client_no_context_takeover')
    ws.send(WORDS)
    for await (const message of ws) {
      expect(message).toBe(WORDS)
      break
    }
    const sent = await peer.readFrame()
    expect(sent.first).toBe(0xc1)
    expect(inflateRawSync(sent.payload, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe(WORDS)
    ws.terminate()
  })

  it.each([
    ['that it did not offer [7692:5-12]', {}, 'permessage-deflate'],
    [
      'with an invalid value [7692:7-02]',
      { perMessageDeflate: true },
      'permessage-deflate; server_max_window_bits=1000',
    ],
    ['with an unknown parameter [7692:7-02]', { perMessageDeflate: true }, 'permessage-deflate; fast'],
    [
      'with a parameter twice [7692:7-02]',
      { perMessageDeflate: true },
      'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    ],
    ['twice [7692:5-08]', { perMessageDeflate: true }, 'permessage-deflate, permessage-deflate'],
  ])('fails on an answer %s', async (_what, options, answer) => {
    const server = await rawServer()
    const connecting = connect(server.url, options)
    const failed = connecting.catch((error: unknown) => error)
    const peer = await server.accept()
    const request = await peer.readHead()
    peer.write(acceptance(request, accepting(answer)))
    expect(await failed).toMatchObject({ code: 'ERR_WS_BAD_EXTENSIONS' })
    await peer.readEnd()
  })

  it('of the standard tells what is in use', async () => {
    const server = await rawServer()
    const ws = new WebSocket(server.url, { perMessageDeflate: true })
    const peer = await server.accept()
    const request = await peer.readHead()
    peer.write(acceptance(request, accepting('permessage-deflate; server_max_window_bits=12')))
    await once(ws, 'open')
    expect(ws.extensions).toBe('permessage-deflate; server_max_window_bits=12')
    peer.socket.destroy()
    await once(ws, 'close')
    expect(ws.extensions).toBe('permessage-deflate; server_max_window_bits=12')
  })
})
