/**
 * Links in the documents that lead nowhere. Checked are the links and images of Markdown, reference definitions, and `href` and `src`
 * of HTML, where they are relative: the file must exist, and the heading, if one is named, must be in it. Code is not
 * looked into, and what has a scheme is not fetched: the check says the same with and without a network.
 */
import { readFile, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { findFiles, outsideFences } from './support/markdown.ts'

/** Pages that the hosting site makes for every repository, two folders above a file of the root. */
const sitePages = /^\.\.\/\.\.\/(issues|pulls|discussions|releases|security)(\/|$)/

export interface Link {
  readonly line: number
  readonly target: string
}

/** Every link target outside of code in the Markdown `text`. */
export function findLinks(text: string): Link[] {
  return proseLines(text).flatMap((line, index) => {
    const patterns = [
      /\]\(\s*<([^>]*)>/g,
      /\]\(\s*([^\s<>)]+)/g,
      /^\s*\[[^\]]+\]:\s*<?([^\s>]+)/g,
      /<[a-z][^>]*?\s(?:href|src)="([^"]*)"/gi,
    ]
    return patterns.flatMap((pattern) => [...line.matchAll(pattern)].map(([, target]) => ({ line: index + 1, target })))
  })
}

/** The anchors that the headings of the Markdown `text` are given by the hosting site, and the ones written by hand. */
export function findAnchors(text: string): Set<string> {
  const anchors = new Set<string>()
  // Headings keep what their code says, so only fenced lines are blank here.
  for (const line of outsideFences(text.split('\n'))) {
    for (const [, anchor] of line.matchAll(/<a\s[^>]*?(?:id|name)="([^"]+)"/gi)) anchors.add(anchor)
    const title = /^#{1,6}\s+(.+?)(?:\s+#+)?\s*$/.exec(line)?.[1]
    if (title === undefined) continue
    const plain = title.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/<[^>]+>/g, '')
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** What is wrong with the relative links of the documents below `root`, as sentences. */
export async function findBrokenLinks(root: string): Promise<string[]> {
  const problems: string[] = []
  for (const path of await findFiles(root, ['.', 'docs', 'examples', 'bench', 'test'], '.md')) {
    const text = await readFile(join(root, path), 'utf8')
    for (const { line, target } of findLinks(text)) {
      const problem = await inspectLink(root, path, target)
      if (problem !== undefined) problems.push(`${path}:${line}: ${problem}`)
    }
  }
  return problems
}

async function inspectLink(root: string, path: string, target: string): Promise<string | undefined> {
  if (/^[a-z][a-z\d+.-]*:|^\/\//i.test(target) || sitePages.test(target)) return undefined
  const [name, anchor] = target.split('#', 2)
  const file = name === '' ? join(root, path) : resolve(root, dirname(path), decodeURIComponent(name))
  if (name.startsWith('/') || relative(root, file).startsWith('..')) return `${target} leads out of the repository`
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return `${target} does not exist`
  if (anchor === undefined || !file.endsWith('.md')) return undefined
  return findAnchors(await readFile(file, 'utf8')).has(anchor) ? undefined : `${target} names no heading of that file`
}

/** The lines of `text` without fenced blocks, code spans and comments. */
function proseLines(text: string): string[] {
  return outsideFences(text.split('\n')).map((line) => line.replace(/(`+).*?\1/g, '').replace(/<!--.*?-->/g, ''))
}
