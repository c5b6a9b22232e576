/**
 * One source for the examples in the docs. A TypeScript or JavaScript block in README.md or `docs` is the copy of a region of a real
 * file, which is compiled, linted and run by the tests; the region's name stands in a comment above the block.
 *
 *     <!-- snippet: echo -->                     // #region echo
 *     ```ts                                      …
 *     …                                          // #endregion
 *     ```
 *
 * Regions are looked for in `test/docs/snippets` and `examples`; a name may be given once. With `--write` the blocks are refreshed;
 * without it, it is an error if a block is stale, has no source, or names a region that does not exist. So is a link
 * that leads nowhere (see links.ts).
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBrokenLinks } from './links.ts'
import { findFences, findFiles, outsideFences } from './support/markdown.ts'

/** Languages whose blocks must have a source. */
const checkedLanguages = new Set(['ts', 'tsx', 'typescript', 'js', 'mjs', 'javascript'])

/** A region's name to its lines, without the indentation that they share. */
export type Regions = Map<string, readonly string[]>

/**
 * Adds the regions of the file `path`, whose content is `text`, to `regions`; they may nest, and the marks of an inner one are left
 * out of the outer one. Throws an Error, with the line's number, for a name that is taken and for marks that do not pair.
 */
export function readRegions(path: string, text: string, regions: Regions): void {
  const open: { name: string; lines: string[]; at: number }[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const [, mark, name = ''] = /^\s*\/\/ #(region|endregion)(?:\s+(\S+))?\s*$/.exec(line) ?? []
    if (mark === undefined) {
      for (const region of open) region.lines.push(line)
    } else if (mark === 'region') {
      if (name === '') throw new Error(`${path}:${index + 1}: a region without a name`)
      if (regions.has(name)) throw new Error(`${path}:${index + 1}: the region ${name} exists already`)
      // Reserved now, so that a region in itself is refused.
      regions.set(name, [])
      open.push({ name, lines: [], at: index + 1 })
    } else {
      const region = open.pop()
      if (region === undefined) throw new Error(`${path}:${index + 1}: an end without a region`)
      regions.set(region.name, dedent(region.lines))
    }
  }
  for (const { name, at } of open) throw new Error(`${path}:${at}: the region ${name} has no end`)
}

function dedent(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => line.trim() !== '')
  const last = lines.findLastIndex((line) => line.trim() !== '')
  const kept = lines.slice(Math.max(first, 0), last + 1)
  const indents = kept.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length)
  const shared = Math.min(...indents)
  return kept.map((line) => line.slice(shared))
}

export interface Refreshed {
  /** The Markdown with every named block replaced by its region. */
  readonly text: string
  /** Each with the path and the line's number. */
  readonly stale: readonly string[]
  /** Faults that writing does not mend: no source, no such region, a name without a block. */
  readonly problems: readonly string[]
}

/** Compares the blocks of the Markdown `text` of the file `path` with `regions`. */
export function refreshSnippets(path: string, text: string, regions: Regions): Refreshed {
  const lines = text.split('\n')
  const stale: string[] = []
  const problems: string[] = []
  const edits: { start: number; end: number; content: readonly string[] }[] = []
  const followed = new Set<number>()
  for (const { start, end, language, indent } of findFences(lines)) {
    const above = lines.findLastIndex((line, at) => at < start && line.trim() !== '')
    const name = snippetName(lines[above])
    const region = name === undefined ? undefined : regions.get(name)
    if (name !== undefined) followed.add(above)
    if (region !== undefined) {
      const content = region.map((line) => (line === '' ? '' : indent + line))
      if (content.join('\n') === lines.slice(start + 1, end).join('\n')) continue
      stale.push(`${path}:${start + 1}: ${name} is stale`)
      edits.push({ start, end, content })
    } else if (name !== undefined) {
      problems.push(`${path}:${above + 1}: there is no region ${name}`)
    } else if (checkedLanguages.has(language)) {
      problems.push(`${path}:${start + 1}: a ${language} block without a source`)
    }
  }
  for (const [at, line] of outsideFences(lines).entries()) {
    const name = snippetName(line)
    if (name !== undefined && !followed.has(at)) problems.push(`${path}:${at + 1}: no block follows the name ${name}`)
  }
  // From the last to the first, so that the numbers of the lines before stay true.
  for (const { start, end, content } of edits.toReversed()) lines.splice(start + 1, end - start - 1, ...content)
  return { text: lines.join('\n'), stale, problems }
}

function snippetName(line: string | undefined): string | undefined {
  return line === undefined ? undefined : /^\s*<!--\s*snippet:\s*(\S+)\s*-->\s*$/.exec(line)?.[1]
}

/** Checks, or with `write` refreshes, every document below `root`; returns what is wrong, as sentences. */
export async function checkSnippets(root: string, write: boolean): Promise<string[]> {
  const regions: Regions = new Map()
  for (const path of await findFiles(root, ['test/docs/snippets', 'examples'], '.ts')) {
    readRegions(path, await readFile(join(root, path), 'utf8'), regions)
  }
  const found: string[] = []
  for (const path of ['README.md', ...(await findFiles(root, ['docs'], '.md'))]) {
    const text = await readFile(join(root, path), 'utf8')
    const refreshed = refreshSnippets(path, text, regions)
    found.push(...refreshed.problems)
    if (!write) found.push(...refreshed.stale)
    else if (refreshed.stale.length > 0) await writeFile(join(root, path), refreshed.text)
  }
  return found
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const write = process.argv.includes('--write')
  const found = [...(await checkSnippets(root, write)), ...(await findBrokenLinks(root))]
  for (const sentence of found) console.error(sentence)
  if (found.some((sentence) => sentence.endsWith('is stale'))) {
    console.error('refresh the blocks with: npm run docs:write')
  }
  process.exitCode = found.length > 0 ? 1 : 0
}
