/**
 * The pages that people read: a list of requirements as Markdown, a table for each section, with links to the code that obeys and to
 * the tests that prove. Cells are escaped; the formatter is told to leave the tables as they are, because it would pad every row to the
 * longest.
 */
import { posix } from 'node:path'
import { bindsUs, findIds, isMust } from './requirements.ts'
import type { CollectedTest, Proofs, Requirement } from './requirements.ts'
import { findThreatIds } from './threats.ts'

/** One list and its page. */
export interface RequirementList {
  /** Of the page, such as `RFC 6455, demand by demand`. */
  readonly title: string
  /** What the page is about, as Markdown. */
  readonly about: string
  /** Path of the list, from the root. */
  readonly list: string
  /** Path of the page, from the root. */
  readonly page: string
}

/** Titles of sections, by document and section. */
export type SectionTitles = ReadonlyMap<string, string>

export function sectionKey(document: string, section: string): string {
  return `${document} ${section}`
}

/** The whole page. */
export function renderPage(
  list: RequirementList,
  rows: readonly Requirement[],
  proofs: Proofs,
  titles: SectionTitles,
): string {
  const severalDocuments = new Set(rows.map((row) => row.document)).size > 1
  const sections = new Map<string, Requirement[]>()
  for (const row of rows) {
    const key = sectionKey(row.document, row.section)
    const section = sections.get(key)
    if (section === undefined) sections.set(key, [row])
    else section.push(row)
  }
  const lines = [`# ${list.title}`, '', '<!-- prettier-ignore-start -->', '']
  lines.push(...introduction(list, rows, proofs))
  for (const [key, ofSection] of sections) {
    const [{ document, section }] = ofSection
    const url = `https://www.rfc-editor.org/rfc/rfc${document}#section-${section}`
    const number = severalDocuments ? `RFC ${document} ${section}` : section
    lines.push(`## ${number} [${titles.get(key) ?? ''}](${url})`, '')
    lines.push('| id | level | who | demand | code | tests |', '|:--|:--|:--|:--|:--|:--|')
    for (const row of ofSection) lines.push(renderRow(list, row, proofs.get(row.id) ?? [], severalDocuments))
    lines.push('')
  }
  lines.push('<!-- prettier-ignore-end -->', '')
  return lines.join('\n')
}

function introduction(list: RequirementList, rows: readonly Requirement[], proofs: Proofs): string[] {
  const example = (rows.find((row) => proofs.has(row.id)) ?? rows[0])?.id ?? ''
  return [
    list.about,
    '',
    `This page is written by \`npm run requirements:write\` from [the list](${relativeTo(list, list.list)}) and from the titles of the tests, and \`npm run check\` fails when it is stale, when a MUST that binds us has no test, or when a test names a demand that does not exist. [Why it is made so](decisions/0013-requirement-map.md).`,
    '',
    `- **id**: the section and a number; an \`i\` in it marks what the RFC says without the capital letters of a keyword. The tests carry it in their titles, so \`npx vitest run -t '${example}'\` runs those of one line.`,
    '- **level** and **who**: how strongly it is said, and to whom. *Other* are intermediaries and authors of extensions.',
    '- **demand**: in our words. What does not bind us, or needs no test, says why in italics.',
    '- **code**: what obeys it. **tests**: the files that prove it, and how many tests do; point at a file to see one of them.',
    '',
    ...countTable(rows, proofs),
    '',
  ]
}

function countTable(rows: readonly Requirement[], proofs: Proofs): string[] {
  const kinds: readonly [name: string, is: (row: Requirement) => boolean][] = [
    ['MUST, MUST NOT', isMust],
    ['SHOULD, SHOULD NOT', ({ level }) => level.startsWith('SHOULD')],
    ['MAY', ({ level }) => level === 'MAY'],
  ]
  const lines = ['| | in all | bind us | of these tested | of these explained |', '|:--|--:|--:|--:|--:|']
  for (const [name, is] of kinds) {
    const all = rows.filter(is)
    const binding = all.filter(bindsUs)
    const tested = binding.filter((row) => proofs.has(row.id)).length
    const explained = binding.filter((row) => !proofs.has(row.id) && row.note !== '').length
    lines.push(`| ${name} | ${all.length} | ${binding.length} | ${tested} | ${explained} |`)
  }
  return lines
}

function renderRow(
  list: RequirementList,
  { id, level, who, text, where, note }: Requirement,
  tests: readonly CollectedTest[],
  severalDocuments: boolean,
): string {
  const shortId = severalDocuments ? id : id.slice(5)
  const code = where.map(({ path, symbol }) => `[\`${symbol}\`](${relativeTo(list, `src/${path}`)})`)
  const cells = [
    `<a id="${shortId}"></a>${shortId}`,
    level.replace(' ', '&nbsp;'),
    who,
    escape(text) + (note === '' ? '' : `<br>*${escape(note)}*`),
    code.join('<br>'),
    renderTests(list, tests).join('<br>'),
  ]
  return `| ${cells.join(' | ')} |`
}

function renderTests(list: RequirementList, tests: readonly CollectedTest[]): string[] {
  const files = new Map<string, CollectedTest[]>()
  for (const test of tests) {
    const ofFile = files.get(test.file)
    if (ofFile === undefined) files.set(test.file, [test])
    else ofFile.push(test)
  }
  return [...files]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([file, [first, ...others]]) => {
      const name = file.replace(/^test\//, '').replace(/\.test\.ts$/, '')
      const count = others.length === 0 ? '' : ` ×${others.length + 1}`
      return `[${name}](${relativeTo(list, file)} "${escapeTitle(first.name)}")${count}`
    })
}

function relativeTo(list: RequirementList, path: string): string {
  return posix.relative(posix.dirname(list.page), path)
}

/** Text as it stands, in a cell. */
function escape(text: string): string {
  return text
    .replace(/[\\*_`[\]|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

const LONGEST_TITLE = 80

/** The title of a test as the title of a link: without ids, on one line, and not too long. */
function escapeTitle(name: string): string {
  let title = name
  for (const id of [...findIds(name), ...findThreatIds(name)]) title = title.replaceAll(`[${id}]`, '')
  const plain = title.replaceAll(' > ', ': ').replace(/[^\x20-\x7e]/g, '?')
  const short = plain
    .replace(/["\\|`<>&[\]]/g, "'")
    .replace(/ +/g, ' ')
    .trim()
  return short.length > LONGEST_TITLE ? `${short.slice(0, LONGEST_TITLE - 3)}...` : short
}
