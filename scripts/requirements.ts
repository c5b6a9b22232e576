/**
 * `npm run requirements`: the map from every demand of the RFCs to the code that obeys it and the tests that prove it. The demands
 * stand in `docs/requirements`, one a line; the tests name them in their titles. It is an error when a MUST that binds us has no test or
 * no place in the code, when anything else has neither a test nor a note, when a test names what does not exist, when code that is
 * named is gone, and when a page is stale. With `--write` the pages are written.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { collectTests } from './support/collected-tests.ts'
import { findFiles } from './support/markdown.ts'
import { renderPage, sectionKey } from './support/requirement-pages.ts'
import type { RequirementList } from './support/requirement-pages.ts'
import { groupById, judgeRequirements, parseRequirements } from './support/requirements.ts'
import type { CollectedTest } from './support/requirements.ts'

const SECTIONS = 'docs/requirements/sections.tsv'

export const LISTS: readonly RequirementList[] = [
  {
    title: 'RFC 6455, demand by demand',
    about:
      'What [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455), The WebSocket Protocol, demands in sections 3 to 10; where this library obeys it; and which tests prove that it does.',
    list: 'docs/requirements/rfc6455.tsv',
    page: 'docs/rfc6455.md',
  },
  {
    title: 'RFC 7692, demand by demand',
    about:
      'What [RFC 7692](https://www.rfc-editor.org/rfc/rfc7692), Compression Extensions for WebSocket, demands of whoever speaks permessage-deflate; where this library obeys it; and which tests prove that it does.',
    list: 'docs/requirements/rfc7692.tsv',
    page: 'docs/rfc7692.md',
  },
  {
    title: 'HTTP around the opening handshake, demand by demand',
    about:
      'A WebSocket connection begins with a request of HTTP/1.1 and its answer. This is the part of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110), HTTP Semantics, and [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112), HTTP/1.1, that concerns these two, and what [RFC 8441](https://www.rfc-editor.org/rfc/rfc8441) would have for HTTP/2: a selection, as most of HTTP is about everything else.',
    list: 'docs/requirements/http.tsv',
    page: 'docs/http.md',
  },
]

/** Checks the lists and pages below `root` against the tests `collected`; with `write` writes the pages. Answers what is wrong. */
export async function checkRequirements(
  root: string,
  write: boolean,
  collected: readonly CollectedTest[],
  lists: readonly RequirementList[] = LISTS,
): Promise<string[]> {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')
  const problems: string[] = []
  const titles = new Map<string, string>()
  for (const line of (await read(SECTIONS)).trimEnd().split('\n').slice(1)) {
    const [document = '', section = '', title = ''] = line.split('\t')
    titles.set(sectionKey(document, section), title)
  }
  const known = (document: string, section: string): boolean => titles.has(sectionKey(document, section))
  const sources = new Map<string, string>()
  for (const path of await findFiles(root, ['src'], '.ts')) sources.set(path.slice('src/'.length), await read(path))

  const proofs = groupById(collected)
  const parsed = []
  for (const list of lists) {
    parsed.push({ list, rows: parseRequirements(list.list, await read(list.list), known, problems) })
  }
  const all = parsed.flatMap(({ rows }) => rows)
  problems.push(...judgeRequirements(all, proofs, (path) => sources.get(path)))
  for (const { list, rows } of parsed) {
    const page = renderPage(list, rows, proofs, titles)
    if (write) await writeFile(join(root, list.page), page)
    else if ((await read(list.page).catch(() => undefined)) !== page) problems.push(`${list.page} is stale`)
  }
  return problems
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const found = await checkRequirements(root, process.argv.includes('--write'), await collectTests(root))
  for (const sentence of found) console.error(sentence)
  if (found.some((sentence) => sentence.endsWith('is stale'))) {
    console.error('write the pages with: npm run requirements:write')
  }
  process.exitCode = found.length > 0 ? 1 : 0
}
