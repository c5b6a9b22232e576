/**
 * All 65,536 first two octets of a frame, as a server and a client receive them, with and without compression, alone and with what
 * they announce behind them. The verdict is that of a table made from RFC 6455 5.2 to 5.5 and RFC 7692 6, which shares nothing with src.
 */
import { describe, expect, it } from 'vitest'
import { FrameDecoder } from '../../src/framing/index.ts'
import { ProtocolError } from '../../src/errors.ts'
import { checkFrameHeader } from '../../src/framing/rules.ts'
import { ROLES } from '../support/wire.ts'

/** Whether a frame may begin with these octets, outside of a message; as the tables of the RFCs have it. */
function mayBegin(first: number, second: number, isServer: boolean, compressed: boolean): boolean {
  const reserved = first & 0x70
  const isData = [1, 2].includes(first & 0x0f)
  if (reserved !== 0 && !(compressed && reserved === 0x40 && isData)) return false
  if (second >= 0x80 !== isServer) return false
  if (isData) return true
  return [0x88, 0x89, 0x8a].includes(first & 0x8f) && (second & 0x7f) <= 125
}

/** Behind the two octets: the shortest length of its form, and a masking key if there is one. */
function rest(second: number): Buffer {
  const length = { 126: '007e', 127: '0000000000010000' }[second & 0x7f] ?? ''
  return Buffer.from(length + (second >= 0x80 ? '00000000' : ''), 'hex')
}

describe.each(ROLES)('A %s', (role) => {
  it.each([false, true])(
    '[A06] judges every first two octets by the rules of the RFC, with compression agreed upon: %o',
    (compressed) => {
      const wrong: string[] = []
      for (let octets = 0; octets <= 0xffff; octets++) {
        const expected = mayBegin(octets >> 8, octets & 0xff, role === 'server', compressed)
        const start = Buffer.of(octets >> 8, octets & 0xff)
        const behind = rest(octets & 0xff)
        for (const chunks of [[Buffer.concat([start, behind])], [start, behind]]) {
          let verdict = 'silent'
          const decoder = new FrameDecoder({
            frameHeader(header) {
              checkFrameHeader(header, role, false, compressed)
              verdict = 'taken'
            },
            framePayload() {},
          })
          try {
            for (const chunk of chunks) decoder.decode(chunk)
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw error
            verdict = `refused ${error.closeCode}`
          }
          if (verdict !== (expected ? 'taken' : 'refused 1002')) wrong.push(`${octets.toString(16)} ${verdict}`)
        }
      }
      expect(wrong).toEqual([])
    },
  )
})
