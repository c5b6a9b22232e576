/**
 * Frames that have brought down others (threats V03, V05, V07 to V11, V15, V16, V18 to V20), sent to a connection, and
 * told by what it answers: to a server and to a client, as both are attacked.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { connect } from '../../src/client/index.ts'
import type { ConnectionOptions } from '../../src/connection/index.ts'
import type { Role } from '../../src/framing/rules.ts'
import { serve } from '../../src/server/index.ts'
import { pass, turn, useClock } from '../support/clock.ts'
import { BINARY, CLOSE, NORMAL, PING, PONG, TEXT, opened } from '../support/connection.ts'
import type { OpenOptions } from '../support/connection.ts'
import { ROLES, received, script, wire } from '../support/wire.ts'

const MiB = 1_048_576
const BEGIN = 0x01
const CONTINUE = 0x00
const END = 0x80
const DEFAULT_LIMITS: Readonly<Record<Role, number>> = { server: MiB, client: 16 * MiB }

/** What a connection says to `bytes`: the frames that it sends, and what it tells, up to its end. */
async function verdict(
  role: Role,
  bytes: Buffer,
  options: OpenOptions = {},
): Promise<[frames: string[], log: string[]]> {
  const { ws, peer, log } = await opened(role, options)
  peer.write(bytes)
  await turn()
  const answer: [string[], string[]] = [peer.frames.map(shortened), log.slice(1).map(shortened)]
  ws.terminate()
  await turn()
  return answer
}

function shortened(line: string): string {
  return line.startsWith('close ') ? line.slice(0, 'close 1000'.length) : line
}

const refused = (code: number, error: string): [string[], string[]] => [[`close ${code}`], [`error ${error}`]]
const TOO_BIG = refused(1009, 'ERR_WS_MESSAGE_TOO_BIG')
const BAD_LENGTH = refused(1002, 'ERR_WS_BAD_LENGTH')
const WAITS: [string[], string[]] = [[], []]

/** A header alone, whose length takes 64 bits. */
function announced(role: Role, firstOctet: number, declared: bigint): Buffer {
  return received(role, firstOctet, '', { declared, lengthBits: 64 })
}

describe.each(ROLES)('A %s', (role) => {
  useClock()

  it('[V03] [V04] ends an endless run of empty fragments, whatever came in front of it', async () => {
    const empty = received(role, CONTINUE)
    for (const first of ['', 'not empty']) {
      const run = Buffer.concat([received(role, BEGIN, first), Buffer.alloc(1023 * empty.length, empty)])
      expect(await verdict(role, run)).toEqual(WAITS)
      // In the streamed way of reading, too, where any number of other fragments is allowed.
      for (const iterate of [false, true]) {
        const { ws, peer, errors } = await opened(role, { iterate })
        const messages = iterate ? ws.messages({ stream: true }) : undefined
        void messages?.next().catch(() => {})
        for (let i = 0; i < 10; i++) peer.write(run.subarray(i === 0 ? 0 : run.length - 1023 * empty.length))
        expect(peer.frames.map(shortened)).toEqual(['close 1008'])
        expect(errors).toMatchObject([{ code: 'ERR_WS_TOO_MANY_FRAGMENTS' }])
        ws.terminate()
        await turn()
      }
    }
  })

  it('[V03] takes the empty fragments that messages may have', async () => {
    const legal = script(role, [[BEGIN], [CONTINUE], [END], [BEGIN], [CONTINUE, 'middle'], [CONTINUE], [END]])
    const [, log] = await verdict(role, Buffer.concat(Array.from({ length: 2000 }, () => legal)))
    expect(log).toEqual(Array.from({ length: 2000 }, () => ['text', 'text middle']).flat())
  })

  it('[V05] holds all fragments together against the limit', async () => {
    const half = Buffer.alloc(DEFAULT_LIMITS[role] / 2)
    const whole = script(role, [
      [0x02, half],
      [CONTINUE, half],
    ])
    expect(await verdict(role, whole)).toEqual(WAITS)
    expect(await verdict(role, Buffer.concat([whole, received(role, CONTINUE, 'x')]))).toEqual(TOO_BIG)
    expect(await verdict(role, Buffer.concat([whole, received(role, END, '', { declared: 1n })]))).toEqual(TOO_BIG)
  })

  it('[V08] [V15] refuses by the header what is larger than its limit, which is there by default', async () => {
    const limit = BigInt(DEFAULT_LIMITS[role])
    for (const firstOctet of [TEXT, BINARY, BEGIN]) {
      expect(await verdict(role, announced(role, firstOctet, limit))).toEqual(WAITS)
      expect(await verdict(role, announced(role, firstOctet, limit + 1n))).toEqual(TOO_BIG)
    }
    expect(await verdict(role, announced(role, BINARY, 256n * BigInt(MiB)))).toEqual(TOO_BIG)
  })

  it('[V09] [V10] [V11] reads lengths of 64 bits as they are, and refuses those that nobody can have', async () => {
    const edges = [16, 31, 32, 33, 40, 48, 52, 53, 54, 62, 63, 64].map((bit) => 2n ** BigInt(bit))
    const lengths = edges.flatMap((edge) => [edge - 2n, edge - 1n, edge, edge + 1n, 3n * (edge / 2n)])
    const lower = [0n, 1n, 125n, 65_536n, BigInt(DEFAULT_LIMITS[role])]
    // Lengths that are small if whoever reads them looks at 32 bits only.
    const all = [...lengths, ...lower.flatMap((low) => [low, 2n ** 32n + low, 2n ** 63n + low])]
    const fitting = new Set(all.filter((length) => length < 2n ** 64n))
    expect(fitting.size).toBeGreaterThan(60)
    for (const length of fitting) {
      const expected =
        length < 65_536n || length >= 2n ** 63n ? BAD_LENGTH : length > DEFAULT_LIMITS[role] ? TOO_BIG : WAITS
      for (const firstOctet of [BINARY, 0x02]) {
        const bytes = announced(role, firstOctet, length)
        expect([length, await verdict(role, bytes)]).toEqual([length, expected])
        // What follows is not taken for a frame.
        const followed = Buffer.concat([bytes, received(role, PING, 'not a Ping')])
        expect([length, await verdict(role, followed)]).toEqual([length, expected])
      }
    }
  })

  it('[V18] refuses RSV1 when no compression was agreed upon, and inflates nothing', async () => {
    const hello = wire('f2 48 cd c9 c9 07 00')
    for (const firstOctet of [TEXT, BINARY, BEGIN, CONTINUE, END, CLOSE, PING, PONG]) {
      // Neither by offering it, which the peer did not accept, nor without.
      for (const perMessageDeflate of [true, false]) {
        const bytes = received(role, 0x40 | firstOctet, hello)
        expect(await verdict(role, bytes, { perMessageDeflate })).toEqual(refused(1002, 'ERR_WS_RESERVED_BIT'))
      }
    }
  })

  it('[V19] gives a header thirty seconds, wherever it stops, and each of the reserved bits none', async () => {
    const header = announced(role, BINARY, 70_000n)
    for (let length = 1; length <= header.length; length++) {
      const { ws, peer, errors } = await opened(role, { heartbeat: false })
      peer.write(header.subarray(0, length))
      await pass(29_000)
      expect([length, ws.readyState]).toEqual([length, 1])
      await pass(2000)
      expect([length, peer.frames.map(shortened)]).toEqual([length, ['close 1008']])
      expect(errors).toHaveLength(1)
      await pass(3000)
      expect(peer.destroyed).toBe(true)
    }
    for (const bits of [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70]) {
      expect(await verdict(role, received(role, TEXT | bits))).toEqual(refused(1002, 'ERR_WS_RESERVED_BIT'))
    }
  })

  it('[V20] reads a million empty Pings in one write without recursion', async () => {
    const ping = received(role, PING)
    const close = received(role, CLOSE, NORMAL)
    let pings = 0
    const { peer, infos } = await opened(role, { onlyHandler: { ping: () => void pings++ } })
    expect(infos).toEqual([])
    peer.write(Buffer.concat([Buffer.alloc(1_000_000 * ping.length, ping), close]))
    await turn()
    expect(pings).toBe(1_000_000)
    const pong = role === 'client' ? 6 : 2
    expect(peer.bytes.length).toBe(1_000_000 * pong + pong + 2)
    peer.end()
    await turn()
    expect(peer.destroyed).toBe(true)
  })
})

describe.each(ROLES)('A %s that is sent a frame octet by octet', (role) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = (): number => {
    for (let i = 0; i < 3; i++) collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  it('[V07] keeps the octets, not the chunks in which they came', async () => {
    const sizes: number[] = []
    const { ws } = await opened(role, { onlyHandler: { message: (_, data) => void sizes.push(data.length) } })
    const frame = received(role, BINARY, Buffer.alloc(MiB, 'x'))
    const before = used()
    for (let at = 0; at < frame.length - 1; at++) ws.arrived(Buffer.from(frame.subarray(at, at + 1)), 1)
    expect(used() - before).toBeLessThan(MiB + 128 * 1024)
    expect(sizes).toEqual([])
    ws.arrived(frame.subarray(-1), 1)
    expect(sizes).toEqual([MiB])
    ws.terminate()
  })
})

describe('Limits', () => {
  const LIMITS = ['maxMessageSize', 'maxFragments', 'fragmentSize', 'highWaterMark', 'maxBufferedAmount'] as const
  const WRONG = [Number.NaN, -1, 0, 0.5, -(2 ** 31), 1e21, '1mb', '1024', '', null, true, [], {}, 2n ** 31n]

  it.each(LIMITS)('[V16] throw for a %s that is none, in a server and in a client', async (name) => {
    for (const value of WRONG) {
      const options = { [name]: value } as ConnectionOptions
      const error = expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' })
      await expect(serve({ port: 0, ...options })).rejects.toThrow(error)
      expect(() => void connect('ws://127.0.0.1:9', options)).toThrow(error)
    }
  })

  it('[V16] are no 32-bit numbers: what is larger counts as it is, or throws', async () => {
    for (const role of ROLES) {
      for (const value of [2 ** 31, 2 ** 32, 2 ** 32 + 1]) {
        await expect(opened(role, { maxMessageSize: value })).rejects.toThrow(RangeError)
        const { ws, peer, log } = await opened(role, { maxBufferedAmount: value, maxFragments: value })
        peer.stopReading()
        expect([1, 2, 3].map(() => ws.send('x'.repeat(20_000)))).toEqual([true, true, true])
        peer.write(
          script(role, [
            [BEGIN, 'a'],
            [CONTINUE, 'b'],
            [END, 'c'],
          ]),
        )
        expect(log.at(-1)).toBe('text abc')
        ws.terminate()
        await turn()
      }
    }
  })
})
