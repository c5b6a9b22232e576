/** What a report of Stryker's comes down to: of each file, how many mutants were noticed, and how many were not. */

type Status = 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored' | 'CompileError' | 'RuntimeError' | 'Pending'

/** What is read of Stryker's report (mutation-testing-report-schema). */
export interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: ReadonlyArray<{ readonly status: Status }> }>>
}

interface Score {
  readonly killed: number
  readonly survived: number
  /** Not tried: they run while a module is loaded. */
  readonly ignored: number
}

function scoreOf(mutants: ReadonlyArray<{ readonly status: Status }>): Score {
  const count = (...statuses: Status[]) => mutants.filter(({ status }) => statuses.includes(status)).length
  return { killed: count('Killed', 'Timeout'), survived: count('Survived', 'NoCoverage'), ignored: count('Ignored') }
}

function sum(scores: readonly Score[]): Score {
  const of = (name: keyof Score) => scores.reduce((all, score) => all + score[name], 0)
  return { killed: of('killed'), survived: of('survived'), ignored: of('ignored') }
}

/** Of a hundred mutants, those that were noticed. */
function percent({ killed, survived }: Score): number {
  return killed + survived === 0 ? 100 : (killed * 100) / (killed + survived)
}

function filesOf(reports: readonly Report[]): Array<[string, Score]> {
  const files = reports.flatMap((report) => Object.entries(report.files))
  return files.map(([file, { mutants }]) => [file, scoreOf(mutants)])
}

type Reports = ReadonlyArray<readonly [area: string, reports: readonly Report[]]>

/** The lowest score of an area. */
export function lowest(areas: Reports): number {
  return Math.min(100, ...areas.map(([, reports]) => percent(sum(filesOf(reports).map(([, score]) => score)))))
}

/** A row for each area, and below it for each of its files. */
export function tableOf(areas: Reports): string {
  const rows = areas.flatMap(([area, reports]) => {
    const files = filesOf(reports)
    const all = sum(files.map(([, score]) => score))
    return [row(`**${area}**`, all), ...files.map(([file, score]) => row(`\`${file}\``, score))]
  })
  return ['|  | score | noticed | survived | not tried |', '| :-- | --: | --: | --: | --: |', ...rows].join('\n')
}

function row(name: string, score: Score): string {
  return `| ${[name, percent(score).toFixed(1), score.killed, score.survived, score.ignored].join(' | ')} |`
}

const BEGIN = '<!-- scores -->'
const END = '<!-- end of scores -->'

/** `page` with `table` between its marks. Throws where it has no such marks. */
export function withTable(page: string, table: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`the page needs ${BEGIN} and ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`
}
