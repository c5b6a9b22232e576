/** The list of threats and its check: how the list is read, and which gaps are found. Made-up rows and titles stand for the real ones. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { groupById } from '../../scripts/support/requirements.ts'
import { findThreatIds, judgeThreats, parseThreats } from '../../scripts/support/threats.ts'
import { checkThreats } from '../../scripts/threats.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HOLDS = '[V01] holds of a server and of a client'
const HEADER = 'id\tarea\troles\tthreat\tholds'
const ROW = 'V01\tframing\tboth\tA flood\tA bound'

function parse(...lines: readonly string[]): { rows: object[]; problems: string[] } {
  const problems: string[] = []
  return { rows: parseThreats('list.tsv', [HEADER, ...lines, ''].join('\n'), problems), problems }
}

describe('parseThreats', () => {
  it('reads rows', () => {
    expect(parse(ROW, 'A02\tclient\tclient\tA lie\tA refusal')).toEqual({
      problems: [],
      rows: [
        { id: 'V01', area: 'framing', roles: 'both', threat: 'A flood', holds: 'A bound' },
        { id: 'A02', area: 'client', roles: 'client', threat: 'A lie', holds: 'A refusal' },
      ],
    })
  })

  it.each([
    ['too few cells', 'V01\tframing\tboth\tA flood', '4 cells instead of 5'],
    ['too many cells', `${ROW}\t`, '6 cells instead of 5'],
    ['an empty line', '', '1 cells instead of 5'],
    ['an id of another kind', ROW.replace('V01', 'X01'), 'X01 is no id'],
    ['an id of three digits', ROW.replace('V01', 'V001'), 'V001 is no id'],
    [
      'an unknown area',
      ROW.replace('framing', 'frames'),
      'frames is no area: there are framing, handshake, deflate, connection, server, client, options, process',
    ],
    ['an unknown role', ROW.replace('both', 'all'), 'all is nobody: there are server, client, both, shared'],
    ['a threat that is not told', ROW.replace('A flood', ''), 'V01 does not say what is sent'],
    ['a threat with nothing to hold', ROW.replace('A bound', ''), 'V01 does not say what has to hold'],
  ])('refuses %s, with the number of the line', (_, line, problem) => {
    expect(parse(ROW, line, ROW)).toMatchObject({ problems: [`list.tsv:3: ${problem}`], rows: [{}, {}] })
  })

  it('refuses other columns', () => {
    const problems: string[] = []
    parseThreats('list.tsv', 'id\tarea\n', problems)
    expect(problems).toEqual(['list.tsv:1: the columns must be id, area, roles, threat, holds'])
  })
})

describe('findThreatIds', () => {
  it('finds every id of a title, wherever it stands, and those that are written wrongly, as they stand', () => {
    expect(findThreatIds('server > [V01] keeps [A20], and [6455:5.1-01]')).toEqual(['V01', 'A20'])
    expect(findThreatIds('[V1] [V01, V02] [A005] [V…]')).toEqual(['V1', 'V01, V02', 'A005'])
  })

  it('takes no other brackets for ids', () => {
    expect(findThreatIds('V01 [v01] [Va] [ArrayBuffer] [] [object Object]')).toEqual([])
  })
})

describe('judgeThreats', () => {
  function judge(lines: readonly string[], ...titles: readonly string[]): string[] {
    const problems: string[] = []
    const rows = parseThreats('list.tsv', [HEADER, ...lines].join('\n'), problems)
    expect(problems).toEqual([])
    const tests = titles.map((name) => ({ name, file: 'test/a.test.ts' }))
    return judgeThreats(rows, groupById(tests, findThreatIds))
  }

  it('finds nothing wrong when a test names the row', () => {
    expect(judge([ROW], HOLDS)).toEqual([])
  })

  it('finds a role in which no test names the row, by the words of its file and its title', () => {
    const nobody = ['server', 'client'].map((role) => `V01 is named by no test of a ${role}: A flood`)
    expect(judge([ROW], '[V01] holds')).toEqual(nobody)
    expect(judge([ROW], '[V01] holds of a server')).toEqual([nobody[1]])
    expect(judge([ROW], '[V01] holds of a client')).toEqual([nobody[0]])
    expect(judge([ROW], '[V01] a request', '[V01] a response')).toEqual([])
    expect(judge([ROW.replace('both', 'server')], '[V01] holds of a client')).toEqual([nobody[0]])
    expect(judge([ROW.replace('both', 'client')], '[V01] holds of a client')).toEqual([])
    expect(judge([ROW.replace('both', 'shared')], '[V01] holds')).toEqual([])
  })

  it('finds a row that no test names', () => {
    expect(judge([ROW], 'V01 holds')).toEqual(['V01 is named by no test: A flood'])
  })

  it('finds a row that is there twice', () => {
    expect(judge([ROW, ROW], HOLDS)).toEqual(['V01 is used twice'])
  })

  it('finds a name in a title that is of no row, and tells where', () => {
    expect(judge([ROW], HOLDS, '[V02] holds', '[V01, V02] holds')).toEqual([
      'test/a.test.ts: there is no threat V02, as "[V02] holds" says',
      'test/a.test.ts: there is no threat V01, V02, as "[V01, V02] holds" says',
    ])
  })
})

describe('The list of the project', () => {
  it('is well-formed, and has the rows V01 to V76 and A01 to A23, in order and once', () => {
    const problems: string[] = []
    const rows = parseThreats('threats.tsv', readFileSync(join(ROOT, 'docs/threats.tsv'), 'utf8'), problems)
    const ids = (letter: string, count: number): string[] =>
      Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`)
    expect(problems).toEqual([])
    expect(rows.map(({ id }) => id)).toEqual([...ids('V', 76), ...ids('A', 23)])
  })
})

describe('checkThreats', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fullduplex-threats-'))
    mkdirSync(join(root, 'docs'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('counts the rows of docs/threats.tsv, and finds what is malformed, untested or made up', async () => {
    writeFileSync(join(root, 'docs/threats.tsv'), `${HEADER}\n${ROW}\nV02\n${ROW.replace('V01', 'V03')}\n`)
    const tests = [HOLDS, '[V04] holds', 'nothing [6455:5.1-01]'].map((name) => ({ name, file: 'a.test.ts' }))
    expect(await checkThreats(root, tests)).toEqual({
      rows: 2,
      problems: [
        'docs/threats.tsv:3: 1 cells instead of 5',
        'V03 is named by no test: A flood',
        'a.test.ts: there is no threat V04, as "[V04] holds" says',
      ],
    })
  })
})
