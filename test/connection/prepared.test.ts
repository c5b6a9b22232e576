import { constants, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Burst } from '../../src/connection/burst.ts'
import { PreparedMessage } from '../../src/connection/prepared.ts'
import type { Frames } from '../../src/connection/prepared.ts'
import { PerMessageDeflate, deflateSettings } from '../../src/deflate/index.ts'
import { parseFrames } from '../support/duplex.ts'
import { frame } from '../support/wire.ts'

function framesOf(message: PreparedMessage, deflate?: PerMessageDeflate): Frames {
  const frames = message.framesFor(deflate)
  if (frames === undefined || frames instanceof Promise) throw new Error('not at hand')
  return frames.chunks
}

/** A server's side of what was agreed upon. */
function deflating({ bits = 13, context = false, threshold = 0 }): PerMessageDeflate {
  const settings = deflateSettings({ threshold, serverNoContextTakeover: !context })
  if (settings === undefined) throw new Error('off')
  const parameters = {
    serverNoContextTakeover: !context,
    clientNoContextTakeover: true,
    serverMaxWindowBits: bits,
    clientMaxWindowBits: 15,
  }
  return new PerMessageDeflate(parameters, settings, 'server')
}

describe('PreparedMessage', () => {
  it.each<[what: string, data: string | ArrayBufferView | ArrayBuffer, options: object | undefined, frames: Buffer]>([
    ['text', 'Hällo', undefined, frame(0x81, 'Hällo')],
    ['an empty text', '', undefined, frame(0x81)],
    ['octets', Buffer.from([1, 2]), undefined, frame(0x82, Buffer.from([1, 2]))],
    ['a view', new Uint16Array([0x0201]).subarray(0), undefined, frame(0x82, Buffer.from([1, 2]))],
    ['an ArrayBuffer', new Uint8Array([1, 2]).buffer, undefined, frame(0x82, Buffer.from([1, 2]))],
    ['a string as binary', 'a', { binary: true }, frame(0x82, 'a')],
    ['octets as text', Buffer.from('a'), { binary: false }, frame(0x81, 'a')],
    ['much text', 'x'.repeat(70_000), undefined, frame(0x81, 'x'.repeat(70_000))],
    ['many octets', Buffer.alloc(70_000, 1), undefined, frame(0x82, Buffer.alloc(70_000, 1))],
    ['fragments', 'abcde', { fragmentSize: 2 }, Buffer.concat([frame(0x01, 'ab'), frame(0, 'cd'), frame(0x80, 'e')])],
  ])('makes unmasked frames of %s', (_what, data, options, frames) => {
    expect(Buffer.concat(framesOf(new PreparedMessage(data, options, Infinity)))).toEqual(frames)
  })

  it('fragments by the size that is the handler’s, or that of the message', () => {
    const sizes = (frames: readonly Buffer[]): number[] => frames.map(({ length }) => length - 2)
    expect(sizes(framesOf(new PreparedMessage('abcde', undefined, 4)))).toEqual([4, 1])
    expect(sizes(framesOf(new PreparedMessage('abcde', { fragmentSize: 3 }, 4)))).toEqual([3, 2])
    expect(sizes(framesOf(new PreparedMessage('abcde', { fragmentSize: Infinity }, 4)))).toEqual([5])
  })

  it.each<[unknown, object | undefined]>([
    [1, undefined],
    [null, undefined],
    [undefined, undefined],
    [{}, undefined],
    [Buffer.from([0xff]), { binary: false }],
    ['a', { fragmentSize: '1' }],
  ])('throws a TypeError for %o with %o', (data, options) => {
    expect(() => new PreparedMessage(data as string, options, Infinity)).toThrow(TypeError)
  })

  it.each([0, -1, 1.5, Number.NaN])('throws a RangeError for a fragmentSize of %d', (fragmentSize) => {
    expect(() => new PreparedMessage('a', { fragmentSize }, Infinity)).toThrow(RangeError)
  })

  describe('where messages are compressed', () => {
    const text = 'over and over and '.repeat(100)
    const noContext = (bits = 13, threshold = 0): PerMessageDeflate => deflating({ bits, threshold })

    it('is compressed once for all with the same window, and encoded once for all others [7692:6.1-01]', () => {
      const message = new PreparedMessage(text, undefined, Infinity)
      const frames = message.framesFor(noContext())
      expect(message.framesFor(noContext())).toBe(frames)
      expect(message.framesFor(noContext(9))).not.toBe(frames)
      const plain = message.framesFor(undefined)
      expect(message.framesFor(undefined)).toBe(plain)
      expect(message.framesFor(noContext(13, 10_000))).toBe(plain)
      const [sent] = parseFrames('server', Buffer.concat(framesOf(message, noContext())))
      expect(sent.firstOctet).toBe(0xc1)
      expect(inflateRawSync(sent.payload, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe(text)
    })

    it('is compressed in the thread pool when it is large, for all of them together', async () => {
      const message = new PreparedMessage(Buffer.alloc(100_000, 'ab'), undefined, Infinity)
      const frames = message.framesFor(noContext())
      expect(frames).toBeInstanceOf(Promise)
      expect(message.framesFor(noContext())).toBe(frames)
      const [sent] = parseFrames('server', Buffer.concat((await (frames as Promise<Frames>)) ?? []))
      expect(sent.firstOctet).toBe(0xc2)
    })

    it('has fragments with RSV1 on the first alone [7692:6.1-01] [7692:6.1-03]', () => {
      const frames = framesOf(new PreparedMessage(text, { fragmentSize: 10 }, Infinity), noContext())
      const octets = parseFrames('server', Buffer.concat(frames)).map(({ firstOctet }) => firstOctet)
      expect(octets.slice(0, 2)).toEqual([0x41, 0x00])
      expect(octets.at(-1)).toBe(0x80)
    })

    it('leaves to a connection what refers back to earlier messages of that connection', () => {
      const keeping = deflating({ context: true })
      expect(new PreparedMessage(text, undefined, Infinity).framesFor(keeping)).toBeUndefined()
      expect(new PreparedMessage(text, { compress: false }, Infinity).framesFor(keeping)).toBeInstanceOf(Burst)
    })

    it('is as it was where compressing it is of no use, and where it is not wanted', () => {
      const short = new PreparedMessage('xyz', undefined, Infinity)
      expect(framesOf(short, noContext())).toEqual(framesOf(short))
      const long = new PreparedMessage(text, { compress: false }, Infinity)
      expect(long.framesFor(noContext())).toBe(long.framesFor(undefined))
    })
  })
})
