/** Lines of JSON: their fields are a promise to programs. */
import { describe, expect, it } from 'vitest'
import { ndjson } from '../../src/tap/index.ts'
import { KEY, Kept, tapped } from './support.ts'

describe('ndjson', () => {
  it('writes a line with all fields of a frame', () => {
    const to = new Kept()
    const sink = ndjson(to)
    sink(tapped({ maskingKey: KEY }))
    sink(
      tapped({ direction: 'out', fin: false, rsv1: true, opcode: 2, payload: Buffer.from([0xff]), payloadLength: 9 }),
    )
    const lines = to.text.split('\n')
    expect(lines.pop()).toBe('')
    expect(lines[0]).toBe(
      '{"at":1795858200125,"connection":1,"direction":"in","fin":true,"rsv1":false,"rsv2":false,"rsv3":false,"opcode":1,' +
        '"masked":true,"maskingKey":"37fa213d","extendedLength":0,"payloadLength":5,"payload":"SGVsbG8="}',
    )
    expect(JSON.parse(lines[1])).toEqual({
      at: 1_795_858_200_125,
      connection: 2,
      direction: 'out',
      fin: false,
      rsv1: true,
      rsv2: false,
      rsv3: false,
      opcode: 2,
      masked: false,
      maskingKey: null,
      extendedLength: 0,
      payloadLength: 9,
      payload: '/w==',
    })
  })

  it('writes a line where frames are missing', () => {
    const to = new Kept()
    const sink = ndjson(to, { maxBuffered: 1 })
    const frame = tapped()
    to.blocked = true
    for (let i = 0; i < 3; i++) sink(frame)
    to.unblock()
    sink(frame)
    const records = to.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(records.map(({ dropped, connection }) => dropped ?? `#${String(connection)}`)).toEqual(['#1', 2, '#1'])
  })
})
