/** The parts that `npm run bench -- --codec` times: that all ways of a case come to the same, that a fault is found, and the table. */
import { describe, expect, it } from 'vitest'
import { PROGRAMS, checkCase, sizeName } from '../../bench/codec/case.ts'
import type { Case } from '../../bench/codec/case.ts'
import { codecCases } from '../../bench/codec/cases.ts'
import { loadWs } from '../../bench/codec/parts.ts'
import type { Ours } from '../../bench/codec/parts.ts'
import { ascii, record, scripts } from '../../bench/codec/samples.ts'
import { codecLines, codecTable, timeOf } from '../../bench/codec/table.ts'
import * as deflate from '../../src/deflate/index.ts'
import * as framing from '../../src/framing/index.ts'
import * as handshake from '../../src/handshake/index.ts'

const ours: Ours = { framing, handshake, deflate }
const cases = await codecCases(ours, loadWs())

/** All cases of `broken`, where some of our parts have a fault, that fail their check. */
async function faults(broken: Partial<typeof framing>, group: string): Promise<string[]> {
  const found: string[] = []
  for (const one of await codecCases({ ...ours, framing: { ...framing, ...broken } }, loadWs())) {
    if (one.group !== group) continue
    await checkCase(one).catch((error: unknown) => found.push(String(error)))
  }
  return found
}

describe('The cases', () => {
  it('have a name of their own each', () => {
    const names = cases.map(({ group, name }) => `${group}: ${name}`)
    expect(new Set(names).size).toBe(names.length)
  })

  it('cover every part', () => {
    const groups = ['header', 'unmasking', 'text', 'reading', 'writing', 'opening', 'deflate']
    expect([...new Set(cases.map(({ group }) => group))]).toEqual(groups)
  })

  it.each(cases.map((one) => [`${one.group}: ${one.name}`, one] as const))('come to the same: %s', async (_, one) => {
    await expect(checkCase(one)).resolves.toBeUndefined()
  })

  it('can be run again and again, and come to the same after it', async () => {
    for (const one of cases) {
      for (const program of PROGRAMS) {
        for (let turn = 0; turn < 3; turn++) await one.ways[program]?.run()
      }
      await expect(checkCase(one)).resolves.toBeUndefined()
    }
  })

  it('compare ours with ws wherever ws has such a part', () => {
    const alone = cases.filter(({ ways }) => ways.ws === undefined)
    expect(alone.map(({ name }) => name)).toEqual(["verdict on a browser's request", 'answer to a key'])
  })
})

describe('The check', () => {
  const one: Case = { group: 'g', name: 'n', expected: [1, 2], ways: {} }
  const way = (result: () => unknown): { run(): void; result(): unknown } => ({ run() {}, result })

  it('names the program that comes to something else', async () => {
    const ways = { fullduplex: way(() => [1, 2]), ws: way(() => [1, 3]) }
    await expect(checkCase({ ...one, ways })).rejects.toThrow('g, n: ws comes to something else')
  })

  it('waits for what takes time, and lets a limit do less', async () => {
    const ways = { fullduplex: way(() => Promise.resolve([1, 2])), limit: { run() {} } }
    await expect(checkCase({ ...one, ways })).resolves.toBeUndefined()
    const late = { fullduplex: way(() => Promise.resolve([])) }
    await expect(checkCase({ ...one, ways: late })).rejects.toThrow('fullduplex')
  })

  it('finds a mask that leaves the last octet out', async () => {
    const applyMask: typeof framing.applyMask = (bytes, start, end, key) =>
      framing.applyMask(bytes, start, end - 1, key)
    expect(await faults({ applyMask }, 'unmasking')).toHaveLength(21)
  })

  it('finds text that nobody has checked', async () => {
    expect(await faults({ isValidUtf8: () => true }, 'text')).toHaveLength(7)
  })

  it('finds a message that is lost', async () => {
    class Lossy extends framing.MessageAssembler {
      override framePayload(...piece: Parameters<framing.MessageAssembler['framePayload']>): void {
        if (piece[0].payloadLength !== 4) super.framePayload(...piece)
      }
    }
    expect(await faults({ MessageAssembler: Lossy }, 'reading')).toHaveLength(1)
  })
})

describe('The samples', () => {
  it('are of just the size that is asked for, and valid text', () => {
    for (const size of [1, 32, 125, 1024, 65_536]) {
      expect([ascii(size).length, scripts(size).length]).toEqual([size, size])
      expect(framing.isValidUtf8(scripts(size))).toBe(true)
    }
  })

  it('are records that differ, each 1 KiB', () => {
    const records = Array.from({ length: 64 }, (_, seed) => record(seed))
    expect(new Set(records.map(String)).size).toBe(64)
    expect(records.every(({ length }) => length === 1024)).toBe(true)
  })

  it('have sizes with names', () => {
    expect([32, 1024, 65_536, 1_048_576].map(sizeName)).toEqual(['32 B', '1 KiB', '64 KiB', '1 MiB'])
  })
})

describe('The table', () => {
  const rows = [
    { group: 'a', case: 'one', program: 'fullduplex', nanoseconds: 20 },
    { group: 'a', case: 'one', program: 'ws', nanoseconds: 50 },
    { group: 'a', case: 'one', program: 'limit', nanoseconds: 10 },
    { group: 'b', case: 'two', program: 'fullduplex', nanoseconds: 1230, octets: 7 },
    { group: 'b', case: 'two', program: 'limit', nanoseconds: 2_460_000, octets: 8 },
  ]

  it('has the programs of a case in one line, with what ours gains and what is left to gain', () => {
    const [one, two] = codecLines(rows)
    expect(one).toEqual({
      group: 'a',
      name: 'one',
      ours: 20,
      ws: 50,
      limit: 10,
      gain: 2.5,
      overLimit: 2,
      octets: [],
    })
    expect(two).toMatchObject({ ws: undefined, gain: undefined, overLimit: 0.0005, octets: [7, undefined, 8] })
  })

  it('says times in the unit that fits', () => {
    expect([2.5678, 42.42, 999.4, 1230, 2_460_000].map(timeOf)).toEqual([
      '2.57 ns',
      '42.4 ns',
      '999 ns',
      '1.23 µs',
      '2.46 ms',
    ])
  })

  it('fits a terminal, with a head for each group', () => {
    const lines = codecTable(rows).split('\n')
    expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['a', 'fullduplex', 'ws', 'limit', 'ws ÷ ours', 'ours ÷ limit'],
      ['one', '20.0 ns', '50.0 ns', '10.0 ns', '2.50', '2.00'],
      [''],
      ['b', 'fullduplex', 'ws', 'limit', 'ws ÷ ours', 'ours ÷ limit'],
      ['two', '1.23 µs', '2.46 ms', '0.00', '7, , 8 octets'],
    ])
  })
})
