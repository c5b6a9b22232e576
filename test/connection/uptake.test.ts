/** Whether a peer takes what waits for it: what goes after the system had no room left. */
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { Uptake } from '../../src/connection/uptake.ts'
import { Transport } from '../support/duplex.ts'
import { socketPair } from '../support/sockets.ts'

interface Figures {
  bytesWritten?: number
  writableLength: number
  _handle?: { writeQueueSize?: number } | null
}

/** A look at each of these figures in turn; what they say, but for the first. */
function looks(...figures: readonly Figures[]): boolean[] {
  const transport = { ...figures[0] } as unknown as Duplex
  const uptake = new Uptake(transport)
  return figures.slice(1).map((next) => {
    Object.assign(transport, next)
    return uptake.goesOn()
  })
}

describe('The uptake of a peer', () => {
  it('goes on when a write is over, whatever was sent since', () => {
    expect(looks({ bytesWritten: 900, writableLength: 500 }, { bytesWritten: 900, writableLength: 200 })).toEqual([
      true,
    ])
    expect(looks({ bytesWritten: 900, writableLength: 500 }, { bytesWritten: 2000, writableLength: 1500 })).toEqual([
      true,
    ])
  })

  it('goes on when less is left of the write that is under way', () => {
    const figures = { bytesWritten: 900, writableLength: 500 }
    const at = (writeQueueSize: number): Figures => ({ ...figures, _handle: { writeQueueSize } })
    expect(looks(at(400), at(300), at(300), at(299))).toEqual([true, false, true])
  })

  it('does not go on when nothing has gone, however much was sent', () => {
    expect(looks({ bytesWritten: 900, writableLength: 500 }, { bytesWritten: 2400, writableLength: 2000 })).toEqual([
      false,
    ])
  })

  it('does not go on when nothing had waited: what the system has room for it takes for anybody', () => {
    const figures = [100, 200, 300].map((bytesWritten) => ({ bytesWritten, writableLength: 0 }))
    expect(looks(...figures)).toEqual([false, false])
    expect(
      looks({ bytesWritten: 900, writableLength: 10 }, ...figures.map((each) => ({ ...each, bytesWritten: 950 }))),
    ).toEqual([true, false, false])
  })

  it('goes on by the length of the queue where a stream tells no more', () => {
    expect(looks({ writableLength: 500 }, { writableLength: 400 }, { writableLength: 400 })).toEqual([true, false])
    expect(looks({ writableLength: 5, _handle: null }, { writableLength: 4, _handle: {} })).toEqual([true])
    const transport = new Transport()
    transport.write('waits')
    expect(new Uptake(transport).goesOn()).toBe(false)
  })

  it('is seen within a single write to a socket', async () => {
    const { near, far } = await socketPair()
    // More than the system keeps between the two.
    const size = 64 * 1024 * 1024
    near.write(Buffer.alloc(size))
    const uptake = new Uptake(near)
    expect(uptake.goesOn()).toBe(false)
    let read = 0
    await new Promise<void>((resolve) => {
      far.on('data', (chunk: Buffer) => {
        read += chunk.length
        if (read < size / 8) return
        far.pause()
        resolve()
      })
      far.resume()
    })
    expect(near.writableLength).toBe(size)
    expect(uptake.goesOn()).toBe(true)
    near.destroy()
    far.destroy()
  })
})
