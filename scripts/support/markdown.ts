/**
 * The little of Markdown that the docs' checks need: which lines are fenced code, and which are text.
 * A fence is three or more backticks or tildes, however far it is indented; it ends at a fence of the same kind that is at least
 * as long and carries no words, or at the end of the file.
 */
import { readdir } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'

export interface Fence {
  /** Index of the line that opens the fence. */
  readonly start: number
  /** Index of the line that closes it, or the number of lines when nothing does. */
  readonly end: number
  /** The first word behind the opening fence, in lower case: the language. */
  readonly language: string
  /** What stands before the opening fence; taken off its lines, put before new ones. */
  readonly indent: string
}

/** Every fenced block among `lines`, in order. */
export function findFences(lines: readonly string[]): Fence[] {
  const fences: Fence[] = []
  for (let start = 0; start < lines.length; start++) {
    const opening = /^(\s*)(`{3,}|~{3,})\s*([^\s`]*)/.exec(lines[start])
    if (!opening) continue
    const [, indent, mark, word] = opening
    let end = start + 1
    while (end < lines.length && !closes(lines[end], mark)) end++
    fences.push({ start, end, language: word.toLowerCase(), indent })
    start = end
  }
  return fences
}

function closes(line: string, mark: string): boolean {
  const trimmed = line.trim()
  return trimmed.length >= mark.length && trimmed === mark[0].repeat(trimmed.length)
}

/** `lines` with every line of a fenced block, its fences too, made empty. */
export function outsideFences(lines: readonly string[]): string[] {
  const outside = [...lines]
  for (const { start, end } of findFences(lines)) outside.fill('', start, end + 1)
  return outside
}

/**
 * The files below `folders` of `root` whose name has the given ending, as sorted paths from `root` with slashes. A folder that does
 * not exist has none; of `.` itself only the files are meant, not its folders. What is in a `node_modules` is somebody else's.
 */
export async function findFiles(root: string, folders: readonly string[], ending: string): Promise<string[]> {
  const found: string[] = []
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: folder !== '.' }).catch(() => [])
    for (const name of names) {
      if (!name.endsWith(ending) || name.split(sep).includes('node_modules')) continue
      found.push(posix.join(folder, name.replaceAll(sep, '/')))
    }
  }
  return found.toSorted()
}
