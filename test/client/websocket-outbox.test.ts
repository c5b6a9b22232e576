import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { Connection, Deferred } from '../../src/connection/index.ts'
import { frame } from '../support/wire.ts'
import { BINARY, CLOSE, TEXT, closeBody, closing, nextTask, opened, swallow } from './websocket-support.ts'

const MiB = 1_048_576
/** More than the buffers of the kernel take from a sender whom nobody reads. */
const MUCH = 5 * MiB
/** A frame of that: two octets, eight of length, four of masking key. */
const FRAME = 14 + MUCH

/** A Blob whose octets come when the test says so. */
class SlowBlob extends Blob {
  readonly read = new Deferred<ArrayBuffer>()

  constructor(text: string) {
    super([text])
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.read.promise
  }

  async go(): Promise<void> {
    this.read.resolve(await super.arrayBuffer())
  }
}

describe('bufferedAmount', () => {
  it('grows by the octets of UTF-8 or of the payload, and not by those of frames', async () => {
    const { ws } = await opened()
    const amounts: number[] = []
    for (const data of ['x', '\u00e5', '\u5336', '\ud801\udc7e', '\ud801', '', new Uint16Array(2), new Blob(['abc'])]) {
      ws.send(data)
      amounts.push(ws.bufferedAmount)
    }
    expect(amounts).toEqual([1, 3, 6, 10, 13, 13, 17, 20])
    await vi.waitFor(() => expect(ws.bufferedAmount).toBe(0))
  })

  it('does not shrink within a task, however soon the network takes what was sent', async () => {
    const { ws } = await opened()
    ws.send('x'.repeat(100_000))
    expect(ws.bufferedAmount).toBe(100_000)
    await Promise.resolve()
    ws.send('y')
    expect(ws.bufferedAmount).toBe(100_001)
    await nextTask()
    expect(ws.bufferedAmount).toBe(0)
  })

  it('is that of one socket, whatever others send in the same task', async () => {
    const [{ ws }, { ws: other }] = [await opened(), await opened()]
    ws.send('abc')
    other.send('de')
    expect([ws.bufferedAmount, other.bufferedAmount]).toEqual([3, 2])
    await nextTask()
    expect([ws.bufferedAmount, other.bufferedAmount]).toEqual([0, 0])
  })

  it('counts anew what is sent in a later task', async () => {
    const { ws } = await opened()
    ws.send('abc')
    await nextTask()
    ws.send('de')
    expect(ws.bufferedAmount).toBe(2)
    await nextTask()
    expect(ws.bufferedAmount).toBe(0)
  })

  it('tells what a peer that does not read leaves waiting', async () => {
    const { ws, peer } = await opened()
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    await nextTask()
    const waiting = ws.bufferedAmount
    expect(waiting).toBeGreaterThan(0)
    expect(waiting).toBeLessThanOrEqual(MUCH)
    ws.send('more')
    expect(ws.bufferedAmount).toBe(waiting + 4)
    await swallow(peer, FRAME)
    await vi.waitFor(() => expect(ws.bufferedAmount).toBe(0))
  })

  it('keeps what was left when the connection fails, and then only grows', async () => {
    const { ws, peer, log } = await opened()
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    await nextTask()
    const waiting = ws.bufferedAmount
    peer.socket.resetAndDestroy()
    await closing(ws)
    expect(log).toEqual(['open', 'error', 'close 1006 unclean ""'])
    expect(ws.bufferedAmount).toBe(waiting)
    ws.send('abc')
    ws.send(new Blob(['de']))
    expect(ws.bufferedAmount).toBe(waiting + 5)
    await nextTask()
    expect(ws.bufferedAmount).toBe(waiting + 5)
  })

  it('forgets a queue that has emptied, though nobody asked meanwhile', async () => {
    const { ws, peer } = await opened()
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    await nextTask()
    await swallow(peer, FRAME)
    peer.socket.resetAndDestroy()
    await closing(ws)
    expect(ws.bufferedAmount).toBe(0)
  })

  it('knows of a queue that has emptied when something else is sent', async () => {
    const { ws, peer } = await opened({ highWaterMark: 10 * MiB })
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    await nextTask()
    await swallow(peer, FRAME)
    ws.send('x')
    expect(ws.bufferedAmount).toBe(1)
  })

  it('keeps what could not be sent because too much waits, which fails the connection', async () => {
    const { ws, peer, log } = await opened({ maxBufferedAmount: 1000 })
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    await nextTask()
    const waiting = ws.bufferedAmount
    // In a task that the transport began, not in one of a timer.
    ws.onmessage = () => ws.send(Buffer.alloc(MiB))
    peer.write(frame(TEXT))
    await closing(ws)
    expect(log).toEqual(['open', 'message ""', 'error', 'close 1006 unclean ""'])
    expect(ws.bufferedAmount).toBe(waiting + MiB)
  })

  it('is 0 after the closing handshake, and counts what is sent behind close', async () => {
    const { ws, peer } = await opened({ highWaterMark: 10 * MiB })
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    ws.close()
    ws.send('too late')
    ws.send(new Blob(['too']))
    expect(ws.bufferedAmount).toBe(MUCH + 11)
    await nextTask()
    expect(ws.bufferedAmount).toBeGreaterThan(11)
    peer.socket.resume()
    await peer.readFrame()
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: Buffer.alloc(0) })
    peer.write(frame(CLOSE))
    peer.socket.end()
    await closing(ws)
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
    expect(ws.bufferedAmount).toBe(11)
    ws.send('!')
    expect(ws.bufferedAmount).toBe(12)
  })

  it('is 0 after the closing handshake, though what had been waiting was not looked at again', async () => {
    const { ws, peer } = await opened({ highWaterMark: 10 * MiB })
    peer.socket.pause()
    ws.send(Buffer.alloc(MUCH))
    await nextTask()
    await swallow(peer, FRAME)
    peer.write(frame(CLOSE))
    peer.socket.end()
    await closing(ws)
    expect(ws.bufferedAmount).toBe(0)
  })
})

describe('a Blob', () => {
  it('holds back all that is sent behind it, and the Close frame', async () => {
    const { ws, peer } = await opened()
    const blob = new SlowBlob('first')
    const octets = Uint8Array.of(1, 2, 3)
    ws.send(blob)
    ws.send('second')
    ws.send(octets)
    ws.send(new Blob(['fourth']))
    octets.fill(9)
    ws.close(3000, 'fifth')
    expect(ws.readyState).toBe(ws.CLOSING)
    expect(ws.bufferedAmount).toBe(20)
    await nextTask()
    expect(ws.bufferedAmount).toBe(20)
    expect(peer.unread).toEqual(Buffer.alloc(0))

    await blob.go()
    expect(await peer.readFrame()).toEqual({ first: BINARY, payload: Buffer.from('first') })
    expect(await peer.readFrame()).toEqual({ first: TEXT, payload: Buffer.from('second') })
    expect(await peer.readFrame()).toEqual({ first: BINARY, payload: Buffer.from([1, 2, 3]) })
    expect(await peer.readFrame()).toEqual({ first: BINARY, payload: Buffer.from('fourth') })
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: closeBody(3000, 'fifth') })
    await vi.waitFor(() => expect(ws.bufferedAmount).toBe(0))
  })

  it('that comes behind another one holds back what is sent when the first is gone', async () => {
    const { ws, peer } = await opened()
    const [first, second] = [new SlowBlob('first'), new SlowBlob('second')]
    ws.send(first)
    ws.send(second)
    await first.go()
    expect(await peer.readFrame()).toEqual({ first: BINARY, payload: Buffer.from('first') })
    ws.send('third')
    await nextTask()
    await second.go()
    expect(await peer.readFrame()).toEqual({ first: BINARY, payload: Buffer.from('second') })
    expect(await peer.readFrame()).toEqual({ first: TEXT, payload: Buffer.from('third') })
  })

  it('holds nothing back once it has been sent', async () => {
    const { ws, peer } = await opened()
    ws.send(new Blob(['blob']))
    expect(await peer.readFrame()).toEqual({ first: BINARY, payload: Buffer.from('blob') })
    const send = vi.spyOn(Connection.prototype, 'send')
    onTestFinished(() => send.mockRestore())
    ws.send('text')
    expect(send.mock.calls).toEqual([['text']])
  })

  it('stays counted when the peer closes before it has been read', async () => {
    const { ws, peer, log } = await opened()
    const blob = new SlowBlob('late')
    ws.send(blob)
    ws.send('text')
    peer.write(frame(CLOSE, closeBody(1001)))
    expect(await peer.readFrame()).toEqual({ first: CLOSE, payload: closeBody(1001) })
    await blob.go()
    await nextTask()
    peer.socket.end()
    await closing(ws)
    expect(await peer.readEnd()).toEqual(Buffer.alloc(0))
    expect(log).toEqual(['open', 'close 1001 clean ""'])
    expect(ws.bufferedAmount).toBe(8)
  })

  it('that cannot be read fails the connection', async () => {
    const { ws, peer, log } = await opened()
    peer.socket.pause()
    const blob = new SlowBlob('gone')
    ws.send(Buffer.alloc(MUCH))
    ws.send(blob)
    ws.send('text')
    ws.close()
    await nextTask()
    const waiting = ws.bufferedAmount
    blob.read.reject(new DOMException('The file has changed', 'NotReadableError'))
    await closing(ws)
    expect(log).toEqual(['open', 'error', 'close 1006 unclean ""'])
    expect(ws.bufferedAmount).toBe(waiting)
  })
})
