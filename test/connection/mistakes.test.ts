/** Mistakes of the application that are told once, and where they are made. */
import { afterEach, expect, it, vi } from 'vitest'
import { connect, serve } from 'fullduplex'
import type { WebSocketServer } from 'fullduplex'

let server: WebSocketServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.shutdown({ timeout: 50 })
})

async function* broken(): AsyncIterable<string> {
  yield await Promise.resolve('a part')
  throw new Error('the source is broken')
}

it.each([true, false])(
  'a source that throws is told once: to `error`, if there is one (%o), else as a warning',
  async (has) => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const error = vi.fn()
    server = await serve({ port: 0, message: (ws) => ws.sendStream(broken()), ...(has && { error }) })
    const ws = await connect(server.url)
    ws.send('go')
    expect(await ws.closed).toMatchObject({ code: 1011 })
    const told = has
      ? error.mock.calls.map(([, thrown]) => thrown as unknown)
      : warn.mock.calls.map(([thrown]) => thrown)
    expect(told).toEqual([new Error('the source is broken')])
    expect(has ? warn : error).not.toHaveBeenCalled()
  },
)

it('options of send that are no object are refused, as they would be without effect', async () => {
  server = await serve({ port: 0 })
  const ws = await connect(server.url)
  expect(() => ws.send('x', true as never)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }))
  expect(ws.send('x', undefined)).toBe(true)
  await ws.close()
})

it('a `drained` that nobody waits for ends no process', async () => {
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  server = await serve({ port: 0 })
  const ws = await connect(server.url)
  await ws.close()
  void ws.drained()
  await new Promise(setImmediate)
  process.off('unhandledRejection', unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})
