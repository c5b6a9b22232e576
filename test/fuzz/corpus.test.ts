import { describe, expect, it } from 'vitest'
import badHeads from '../../fuzz/corpus/bad-heads.json' with { type: 'json' }
import { corpusOf } from '../../fuzz/support/corpus.ts'
import { Random } from '../../fuzz/support/random.ts'
import { targets } from '../../fuzz/targets/index.ts'
import { request } from '../../fuzz/targets/request.ts'
import { HANDSHAKE_FIELDS } from '../support/heads.ts'

for (const target of targets) {
  describe(`the corpus of ${target.name}`, () => {
    for (const entry of corpusOf(target.name)) {
      it(`means what it meant: ${entry.about} (${entry.settings})`, async () => {
        expect(target.settings).toContain(entry.settings)
        expect(await target.outcome(entry)).toBe(entry.outcome)
        await target.run(entry, new Random(1))
      })
    }
  })
}

interface BadHead {
  readonly about: string
  readonly start?: string
  /** Lines behind those of a good handshake. */
  readonly add?: string
  readonly without?: readonly string[]
}

function textOf({ start = 'GET / HTTP/1.1', add = '', without = [] }: BadHead): string {
  const fields = HANDSHAKE_FIELDS.filter(([name]) => !without.includes(name))
  return `${start}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}${add}\r\n`
}

describe('the corpus of bad heads', () => {
  const outcomeOf = (head: BadHead): unknown =>
    request.outcome({ settings: '', octets: Buffer.from(textOf(head), 'latin1') })

  it('has nothing bad but what its entries say', () => {
    expect(outcomeOf({ about: 'a good one' })).toBe('accepted')
    expect(badHeads.length).toBeGreaterThan(120)
  })

  for (const head of badHeads as readonly BadHead[]) {
    it(`is refused, however it comes: ${head.about} [V60] [V61]`, async () => {
      expect(outcomeOf(head)).toMatch(/^ERR_WS_\w+ [45]\d\d$/)
      for (let seed = 0; seed < 20; seed++) {
        await request.run({ settings: '', octets: Buffer.from(textOf(head), 'latin1') }, new Random(seed))
      }
    })
  }
})
