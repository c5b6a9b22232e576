/**
 * The map from the demands of the RFCs to code and tests: how a list is read, what is found wrong with it, and the pages. Made-up lists
 * and sources stand for the real ones; the last tests run the whole check on a small project in a temporary folder.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LISTS, checkRequirements } from '../../scripts/requirements.ts'
import { collectTests } from '../../scripts/support/collected-tests.ts'
import {
  declares,
  findIds,
  groupById,
  judgeRequirements,
  parseRequirements,
} from '../../scripts/support/requirements.ts'
import type { CollectedTest, Requirement } from '../../scripts/support/requirements.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HEADER = 'id\tsection\tlevel\twho\trequirement\twhere\tnote'
const MUST = '6455:5.1-01\t5.1\tMUST\tboth\tDo it\tframing/rules.ts#check\t'

function parse(...lines: readonly string[]): { rows: Requirement[]; problems: string[] } {
  const problems: string[] = []
  const known = (document: string, section: string): boolean => document === '6455' && section.startsWith('5')
  return { rows: parseRequirements('list.tsv', [HEADER, ...lines, ''].join('\n'), known, problems), problems }
}

const SOURCE = 'export function check(): void {\n}\n'

/** What is wrong with these rows, when these are the titles of the tests. */
function judge(lines: readonly string[], ...titles: readonly string[]): string[] {
  const { rows, problems } = parse(...lines)
  expect(problems).toEqual([])
  const proofs = groupById(titles.map((name) => ({ name, file: 'test/a.test.ts' })))
  return judgeRequirements(rows, proofs, (path) => (path === 'framing/rules.ts' ? SOURCE : undefined))
}

describe('parseRequirements', () => {
  it('reads rows with places and a note, and without', () => {
    const line = '6455:5.1-i02\t5.1\tMUST NOT\tother\tLeave it\ta.ts#b, c/d.ts#E.#f\tnot binding: no'
    expect(parse(MUST, line)).toEqual({
      problems: [],
      rows: [
        {
          id: '6455:5.1-01',
          document: '6455',
          section: '5.1',
          level: 'MUST',
          who: 'both',
          text: 'Do it',
          where: [{ path: 'framing/rules.ts', symbol: 'check' }],
          note: '',
        },
        {
          id: '6455:5.1-i02',
          document: '6455',
          section: '5.1',
          level: 'MUST NOT',
          who: 'other',
          text: 'Leave it',
          where: [
            { path: 'a.ts', symbol: 'b' },
            { path: 'c/d.ts', symbol: 'E.#f' },
          ],
          note: 'not binding: no',
        },
      ],
    })
  })

  it.each([
    ['too few cells', '6455:5.1-01\t5.1\tMUST\tboth\tDo it\t', '6 cells instead of 7'],
    ['too many cells', `${MUST}\t`, '8 cells instead of 7'],
    ['an empty line', '', '1 cells instead of 7'],
    ['an id without an RFC', '5.1-01\t5.1\tMUST\tboth\tDo it\t\t', '5.1-01 is no id'],
    ['an id of another section', '6455:5.2-01\t5.1\tMUST\tboth\tDo it\t\t', '6455:5.2-01 is not of section 5.1'],
    ['a section without a title', '6455:6-01\t6\tMUST\tboth\tDo it\t\t', 'RFC 6455 has no section 6 in sections.tsv'],
    ['an unknown level', '6455:5.1-01\t5.1\tSHALL\tboth\tDo it\t\t', 'SHALL is no level'],
    [
      'an unknown party',
      '6455:5.1-01\t5.1\tMUST\tpeer\tDo it\t\t',
      'peer is nobody: there are client, server, both, other',
    ],
    ['an empty demand', '6455:5.1-01\t5.1\tMUST\tboth\t\t\t', '6455:5.1-01 demands nothing'],
    ['a place without a symbol', '6455:5.1-01\t5.1\tMUST\tboth\tDo it\ta.ts\t', 'a.ts is no path#symbol'],
  ])('refuses %s, with the number of the line', (_, line, problem) => {
    expect(parse(MUST, line, MUST.replace('-01', '-03'))).toMatchObject({
      problems: [`list.tsv:3: ${problem}`],
      rows: [{ id: '6455:5.1-01' }, { id: '6455:5.1-03' }],
    })
  })

  it('refuses other columns', () => {
    const problems: string[] = []
    parseRequirements('list.tsv', 'id\tsection\n', () => true, problems)
    expect(problems).toEqual(['list.tsv:1: the columns must be id, section, level, who, requirement, where, note'])
  })
})

describe('findIds', () => {
  it('finds every id of a title, wherever it stands', () => {
    expect(findIds('a > is so [6455:5.1-01] [9112-5.1-i02], and so [7692:7.1.2.1-03]')).toEqual([
      '6455:5.1-01',
      '9112-5.1-i02',
      '7692:7.1.2.1-03',
    ])
  })

  it('finds those that were cut off, as they stand', () => {
    expect(findIds("a 'closed by us [6455:7.1…'")).toEqual(["6455:7.1…'"])
    expect(findIds("a 'refused [9112-5…'")).toEqual(["9112-5…'"])
    expect(findIds('a [6455:5.1-01, 5.1-02]')).toEqual(['6455:5.1-01, 5.1-02'])
  })

  it('takes no other brackets for ids', () => {
    expect(findIds('takes [1000-2999] and [2024-01], 6455:5.1-01, [object Object] and []')).toEqual([])
  })
})

describe('judgeRequirements', () => {
  it('finds nothing wrong when a MUST has a place and a test', () => {
    expect(judge([MUST], 'is done [6455:5.1-01]')).toEqual([])
  })

  it('finds a MUST, or a MUST NOT, that no test names', () => {
    expect(judge([MUST], 'is done [6455:5.1-02x]')[0]).toBe('6455:5.1-01 (MUST) is named by no test: Do it')
    expect(judge([MUST.replace('MUST', 'MUST NOT')], 'is done')).toEqual([
      '6455:5.1-01 (MUST NOT) is named by no test: Do it',
    ])
  })

  it('lets no note but that it does not bind us take the place of a test', () => {
    expect(judge([`${MUST}We think so.`])).toEqual(['6455:5.1-01 (MUST) is named by no test: Do it'])
    expect(judge([`${MUST}not binding: we do nothing.`])).toEqual([])
    expect(judge([`${MUST}not binding yet: we do nothing.`])).toEqual([])
    expect(judge([`${MUST.replace('both', 'other')}For others.`])).toEqual([])
  })

  it('finds a demand that is said not to bind us, and is tested', () => {
    const problem = '6455:5.1-01 does not bind us, as its note says, and yet a test names it: Do it'
    expect(judge([`${MUST}not binding: no.`], 'is done [6455:5.1-01]')).toEqual([problem])
  })

  it('finds a MUST without a place in the code', () => {
    const line = '6455:5.1-01\t5.1\tMUST\tclient\tDo it\t\t'
    expect(judge([line], 'a [6455:5.1-01]')).toEqual(['6455:5.1-01 (MUST) has no place in the code: Do it'])
  })

  it.each(['SHOULD', 'SHOULD NOT', 'MAY'])('finds a %s that has neither a test nor a note', (level) => {
    const line = `6455:5.1-01\t5.1\t${level}\tclient\tDo it\t\t`
    expect(judge([line])).toEqual([`6455:5.1-01 (${level}) has neither a test nor a note: Do it`])
    expect(judge([line], 'a [6455:5.1-01]')).toEqual([])
    expect(judge([`${line}Not done.`])).toEqual([])
  })

  it('finds a demand upon others that has no note', () => {
    const line = '6455:5.1-01\t5.1\tMUST\tother\tDo it\t\t'
    expect(judge([line])).toEqual(['6455:5.1-01 (MUST) has neither a test nor a note: Do it'])
  })

  it('finds an id in a title that no list has, and tells where', () => {
    expect(judge([MUST], 'a [6455:5.1-01]', 'b [6455:5.1-02] [6455:5.1-02]')).toEqual([
      'test/a.test.ts: there is no requirement 6455:5.1-02, as "b [6455:5.1-02] [6455:5.1-02]" says',
    ])
  })

  it('finds an id that is used twice', () => {
    expect(judge([MUST, MUST], 'a [6455:5.1-01]')).toEqual(['6455:5.1-01 is used twice'])
  })

  it('finds a place that does not exist, be it the file or what it declares', () => {
    const at = (place: string): string[] => judge([MUST.replace('framing/rules.ts#check', place)], 'a [6455:5.1-01]')
    expect(at('framing/rule.ts#check')).toEqual(['6455:5.1-01: src/framing/rule.ts does not exist'])
    expect(at('framing/rules.ts#checks')).toEqual(['6455:5.1-01: src/framing/rules.ts does not declare checks'])
    expect(at('framing/rules.ts#check, framing/rules.ts#a')).toHaveLength(1)
  })
})

describe('declares', () => {
  const source = [
    'import { imported } from "./a.ts"',
    'export const LIMIT: number = 5',
    'const table = {',
    '  entry: 1,',
    '}',
    'export async function connect(): Promise<void> {',
    '  const inner = imported()',
    '}',
    'function* walk() {}',
    'export interface Sink {',
    '  message(): void',
    '}',
    'export type Role = string',
    'export class Reader<T> {',
    '  readonly #field = 1',
    '  static from(): void {}',
    '  get head(): T {',
    '    return this.nested(called(1))',
    '  }',
    '  #private(',
    '    parameter: string,',
    '  ): void {}',
    '  *[Symbol.iterator]() {}',
    '  async read(): Promise<void> {}',
    '}',
    'class Other {',
    '  close(): void {}',
    '}',
  ].join('\n')

  it.each([
    'LIMIT',
    'table',
    'connect',
    'walk',
    'Sink',
    'Sink.message',
    'Role',
    'Reader',
    'Reader.#field',
    'Reader.from',
    'Reader.head',
    'Reader.#private',
    'Reader.read',
    'Other.close',
  ])('knows %s', (symbol) => {
    expect(declares(source, symbol)).toBe(true)
  })

  it.each([
    'imported',
    'inner',
    'Reade',
    'Reader.private',
    'Reader.nested',
    'Reader.close',
    'Reader.parameter',
    'close',
  ])('does not know %s', (symbol) => {
    expect(declares(source, symbol)).toBe(false)
  })
})

describe('The lists of the project', () => {
  it('are well-formed, use no id twice, and say for each demand upon others why nothing is done', () => {
    const sections = new Set(
      readFileSync(join(ROOT, 'docs/requirements/sections.tsv'), 'utf8')
        .split('\n')
        .map((line) => line.split('\t').slice(0, 2).join(' ')),
    )
    const problems: string[] = []
    const rows = LISTS.flatMap(({ list }) => {
      const known = (document: string, section: string): boolean => sections.has(`${document} ${section}`)
      return parseRequirements(list, readFileSync(join(ROOT, list), 'utf8'), known, problems)
    })
    expect(problems).toEqual([])
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length)
    expect(rows.filter(({ who, note }) => who === 'other' && note === '')).toEqual([])
    expect(rows.length).toBeGreaterThan(350)
  })
})

describe('checkRequirements', () => {
  const list = { title: 'Demands', about: 'What is *demanded*.', list: 'docs/requirements/a.tsv', page: 'docs/a.md' }
  const proof: CollectedTest = {
    name: 'rules > [V07] say "no" | <never> `x` [6455:5.1-01]',
    file: 'test/framing/rules.test.ts',
  }
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fullduplex-requirements-'))
    write('docs/requirements/sections.tsv', 'document\tsection\ttitle\n6455\t5.1\tOverview\n')
    write('docs/requirements/a.tsv', `${HEADER}\n${MUST}As *we* | see <it>\n`)
    write('src/framing/rules.ts', SOURCE)
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }

  const check = (tests: readonly CollectedTest[], writes = false): Promise<string[]> =>
    checkRequirements(root, writes, tests, [list])

  it('finds a page that is absent or stale, writes it only when asked, and is content with what it wrote', async () => {
    expect(await check([proof])).toEqual(['docs/a.md is stale'])
    expect(await check([proof])).toEqual(['docs/a.md is stale'])
    expect(await check([proof], true)).toEqual([])
    expect(await check([proof])).toEqual([])
    expect(await check([proof, { ...proof, name: 'another [6455:5.1-01]' }])).toEqual(['docs/a.md is stale'])
    write('docs/a.md', `${readFileSync(join(root, 'docs/a.md'), 'utf8')} `)
    expect(await check([proof])).toEqual(['docs/a.md is stale'])
  })

  it('writes a row with links to the code and to the tests, and nothing that is not escaped', async () => {
    await check([proof, { ...proof, name: 'x [6455:5.1-01]' }], true)
    const page = readFileSync(join(root, 'docs/a.md'), 'utf8')
    expect(page).toContain('# Demands\n')
    expect(page).toContain('## 5.1 [Overview](https://www.rfc-editor.org/rfc/rfc6455#section-5.1)\n')
    expect(page).toContain('| MUST, MUST NOT | 1 | 1 | 1 | 0 |\n')
    expect(page.split('\n').filter((line) => line.startsWith('| <a'))).toEqual([
      '| <a id="5.1-01"></a>5.1-01 | MUST | both | Do it<br>*As \\*we\\* \\| see &lt;it&gt;* | ' +
        "[`check`](../src/framing/rules.ts) | [framing/rules](../test/framing/rules.test.ts \"rules: say 'no' ' 'never' 'x'\") ×2 |",
    ])
  })

  it('reports what writing cannot mend, even when it writes', async () => {
    expect(await check([], true)).toEqual(['6455:5.1-01 (MUST) is named by no test: Do it'])
  })

  it('collects tables filled in and blocks with their tests, and nothing that is skipped or to be done', async () => {
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    write(
      'test/a.test.ts',
      [
        "import { describe, it } from 'vitest'",
        "describe('a block [6455:5.1-01]', () => it('counts', () => {}))",
        "it.each(['[6455:5.1-02]'])('a table with %s', () => {})",
        "it.skip('skipped [6455:5.1-03]', () => {})",
        "it.skipIf(true)('skipped here [6455:5.1-04]', () => {})",
        "it.todo('to be done [6455:5.1-05]')",
        "describe.skip('a skipped block [6455:5.1-06]', () => it('waits', () => {}))",
        "// it('a comment [6455:5.1-07]', () => {})",
        "describe('without a test [6455:5.1-08]', () => {})",
      ].join('\n'),
    )
    expect(await collectTests(root)).toEqual([
      { name: 'a block [6455:5.1-01] > counts', file: 'test/a.test.ts' },
      { name: 'a table with [6455:5.1-02]', file: 'test/a.test.ts' },
    ])
    write('test/b.test.ts', "import './absent.ts'")
    await expect(collectTests(root)).rejects.toThrow(/could not be collected:[^]*absent\.ts/)
  })
})
