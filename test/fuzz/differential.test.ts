/**
 * The differential run, in short, against those that are in this process; and that it would find something. The examples of
 * docs/differences.md are replayed: ours, ws and undici must still say what is written there.
 */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { Case, Tally } from '../../fuzz/differential/compare.ts'
import { deflations } from '../../fuzz/differential/deflation.ts'
import { readExamples, streamOf, withDifferences } from '../../fuzz/differential/examples.ts'
import { explainHandshake, handshakeRules, requestOf, requests } from '../../fuzz/differential/handshake.ts'
import { ours } from '../../fuzz/differential/peers/ours.ts'
import { undici } from '../../fuzz/differential/peers/undici.ts'
import { ws } from '../../fuzz/differential/peers/ws.ts'
import { rules } from '../../fuzz/differential/rules.ts'
import { run } from '../../fuzz/differential/run.ts'
import { structureOf } from '../../fuzz/differential/structure.ts'
import type { Deflate, Endpoint, Stream } from '../../fuzz/differential/verdict.ts'
import { wire } from '../support/wire.ts'

const examples = await readExamples()
const live: ReadonlyMap<string, Endpoint> = new Map([ws, undici].map((peer) => [peer.name, peer]))

function client(literal: string, deflate: Deflate = 'none'): Stream {
  return { role: 'client', deflate, octets: wire(literal) }
}

describe('the differential run', () => {
  it('finds nothing that ws or undici and we make of 8,000 streams differently without a rule', async () => {
    const findings: string[] = []
    const tallies = await run({
      seed: 6455,
      streams: 8000,
      peers: [ws, undici],
      onDifference({ peer, stream }, index, names) {
        if (names.length === 0) findings.push(`${peer}, stream ${index}: ${stream.octets.toString('hex')}`)
      },
    })
    expect(findings).toEqual([])
    for (const { streams, differences } of tallies.values()) {
      expect(streams).toBeGreaterThan(3000)
      expect(differences).toBeGreaterThan(100)
    }
  }, 60_000)

  it('finds a peer that loses a Pong, and one that takes an octet more', async () => {
    const lossy: Endpoint = {
      ...ws,
      async judge(streams) {
        const verdicts = await ws.judge(streams)
        return verdicts.map((one) => ({ ...one, events: one.events.filter((event) => !event.startsWith('pong')) }))
      },
    }
    const late: Endpoint = {
      ...ws,
      async judge(streams) {
        const verdicts = await ws.judge(streams)
        return verdicts.map((one) => (one.end.startsWith('closed') ? { ...one, taken: one.taken + 1 } : one))
      },
    }
    for (const peer of [lossy, late]) {
      const tally = (await run({ seed: 1, streams: 500, peers: [peer] })).get('ws')
      expect(tally?.findings.length).toBeGreaterThan(5)
    }
  })

  it('counts the rules, and those that were never used', () => {
    const tally = new Tally('ws', rules)
    const verdict = { events: [], end: 'open', taken: 2 } as const
    const stream = client('817e 0001 61')
    expect(tally.count(new Case('ws', stream, verdict, verdict))).toBeUndefined()
    const refused = { events: [], end: 'failed 1002', taken: 4 } as const
    const taken = { events: ['text 61'], end: 'open', taken: 5 } as const
    expect(tally.count(new Case('ws', stream, refused, taken))).toEqual(['length not minimal'])
    expect(tally.count(new Case('ws', client('8101 61'), refused, taken))).toEqual([])
    expect(tally).toMatchObject({ streams: 3, differences: 2, findings: [expect.any(Case)] })
    expect(tally.rules.get('length not minimal')).toBe(1)
    expect(tally.rules.get('Close of one octet')).toBe(0)
  })
})

describe('docs/differences.md', () => {
  it('has an example of every rule', () => {
    const named = new Set(examples.map(({ rule }) => rule))
    expect(rules.filter(({ name }) => !named.has(name)).map(({ name }) => name)).toEqual([])
  })

  it('is what docs/differences.json and the rules say', async () => {
    const page = await readFile(new URL('../../docs/differences.md', import.meta.url), 'utf8')
    // The formatter lines tables up.
    const plain = (text: string): string => text.replaceAll(/-{2,}/g, '-').replaceAll(/\s+/g, ' ')
    expect(plain(withDifferences(page, examples))).toBe(plain(page))
  })

  it.each(examples)('tells what became of $peer: $rule', async (example) => {
    const stream = streamOf(example)
    const verdict = (await ours.judge([stream]))[0]
    expect(verdict).toEqual(example.ours)
    const peer = live.get(example.peer)
    const theirs = peer === undefined ? example.theirs : (await peer.judge([stream]))[0]
    expect(theirs).toEqual(example.theirs)
    const difference = new Case(example.peer, stream, verdict, theirs)
    expect(difference.same).toBe(false)
    const explained = rules.filter((rule) => rule.peers.includes(example.peer) && rule.explains(difference))
    expect(explained.map(({ name }) => name)).toEqual([example.rule])
  })
})

describe('opening handshakes', () => {
  it('finds nothing that ws and we answer differently without a rule', () => {
    const all = [...requests()]
    expect(all.length).toBeGreaterThan(2000)
    const findings = all.filter((request) => explainHandshake(request)?.length === 0)
    expect(findings).toEqual([])
  })

  it.each(handshakeRules)('has an example of: $name', ({ name, example }) => {
    expect(explainHandshake(requestOf(example))).toEqual([name])
  })
})

describe('structureOf', () => {
  it.each([
    ['c1 00', 'rsv1'],
    ['a1 00', 'rsv2 or rsv3'],
    ['83 00', 'opcode'],
    ['09 00', 'fragmented control'],
    ['89 7e 007e', 'long control'],
    ['80 00', 'nothing to continue'],
    ['81 80 00000000', 'masking'],
    ['81 7e 007d', 'not minimal'],
    ['82 7f 0000000000010001', 'too big'],
  ])('finds what is wrong with %s: %s', (literal, fault) => {
    expect(structureOf(client(literal)).frames[0].faults).toEqual([fault])
  })

  it('finds messages within messages, and octets that are no header yet', () => {
    const { frames, messages, rest } = structureOf(client('01 01 61  82 00  80 01 62  81'))
    expect(frames.map(({ faults }) => faults)).toEqual([[], ['interleaved'], ['nothing to continue']])
    expect(messages.map(({ complete, frames: own }) => [complete, own])).toEqual([
      [false, [0]],
      [true, [1]],
      [true, [2]],
    ])
    expect(rest).toEqual(wire('81'))
  })
})

describe('deflations', () => {
  it.each([
    ['f2 48 cd c9 c9 07 00', 'whole'],
    ['f3 48 cd c9 c9 07 00 00', 'ended'],
    ['f2 48 cd c9 c9 07 00 00 00 ff ff', 'cut'],
    ['f2 48', 'cut'],
    ['06', 'invalid'],
  ])('says of %s: %s', (payload, deflation) => {
    const octets = wire(payload)
    const stream: Stream = {
      role: 'client',
      deflate: 'single',
      octets: Buffer.concat([Buffer.of(0xc1, octets.length), octets]),
    }
    expect([...deflations(structureOf(stream), 'single').values()]).toEqual([deflation])
  })
})
