/**
 * What the package weighs: the tarball, and what a bundler makes of each entry of `exports`, beside ws. `npm run size` compares
 * it with the table in docs/package.md, where a figure may be a tenth off, as each commit changes them all a little;
 * `npm run size -- --write` writes the table.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { pack } from './package.ts'
import type { Manifest } from './package.ts'
import { packageVersion } from './support/packages.ts'

/** A row: what is weighed, and what it comes to here and with ws; `undefined` where there is nothing to weigh. */
export type Row = readonly [what: string, ours: number | undefined, theirs: number | undefined]

/** Of an entry of `exports`. */
interface Target {
  readonly default: string
}

const TOLERANCE = 0.1
const MARKS = ['<!-- sizes -->', '<!-- end of sizes -->']

/** Octets of what `source` makes a bundle of, minified and compressed. */
async function weigh(source: string, root: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root },
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    // Compiled parts that ws takes when they are there.
    external: ['bufferutil', 'utf-8-validate'],
    logLevel: 'silent',
    write: false,
  })
  return gzipSync(outputFiles[0].contents, { level: 9 }).length
}

/** Everything that is weighed of the project at `root`. */
export async function weighAll(root: string): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'fullduplex-size-'))
  try {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
    const ours = await pack(root, folder)
    const ws = await pack(join(root, 'node_modules/ws'), folder)
    const types = await pack(join(root, 'node_modules/@types/ws'), folder)
    const entries = Object.entries(manifest.exports).filter(([entry]) => !entry.endsWith('.json'))
    const bundled: Row[] = []
    for (const [entry, target] of entries) {
      const theirs = entry === '.' ? await weigh("export * from 'ws'", root) : undefined
      const mine = await weigh(`export * from '${(target as Target).default}'`, root)
      bundled.push([`all of \`${posix.join(manifest.name, entry)}\``, mine, theirs])
    }
    const [, index] = entries[0]
    const only = (name: string): Promise<number> =>
      weigh(`export { ${name} } from '${(index as Target).default}'`, root)
    return [
      ['runtime dependencies', Object.keys(manifest['dependencies'] ?? {}).length, 0],
      ['the tarball, KiB', KiB(ours.size), KiB(ws.size + types.size)],
      ['unpacked, KiB', KiB(ours.unpackedSize), KiB(ws.unpackedSize + types.unpackedSize)],
      ['of which code that runs, KiB', KiB(codeOf(ours.files)), KiB(codeOf(ws.files))],
      ...bundled.map(([what, mine, theirs]): Row => [`${what}, KiB`, KiB(mine), KiB(theirs)]),
      ['only `serve`, KiB', KiB(await only('serve')), undefined],
      ['only `connect`, KiB', KiB(await only('connect')), undefined],
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function codeOf(files: readonly { readonly path: string; readonly size: number }[]): number {
  let octets = 0
  for (const { path, size } of files) if (/\.m?js$/.test(path)) octets += size
  return octets
}

function KiB(octets: number | undefined): number | undefined {
  return octets === undefined ? undefined : octets / 1024
}

/** As docs/package.md has it. */
export function formatTable(rows: readonly Row[], versions: { ours: string; ws: string; types: string }): string {
  const titles = ['', `fullduplex ${versions.ours}`, `ws ${versions.ws} and @types/ws ${versions.types}`]
  const cells = [titles, ...rows.map(([what, ...figures]) => [what, ...figures.map(formatFigure)])]
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => row[column].length)))
  const pad = (row: readonly string[]): string[] =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [head, ...body] = cells.map(pad)
  return [head, rule, ...body].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function formatFigure(figure: number | undefined): string {
  if (figure === undefined) return '–'
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(1)
}

/** How the table in `page` differs from `table`: other rows, or figures that are more than a tenth off. */
export function compareTables(page: string, table: string): string[] {
  const [written, measured] = [page, table].map(cellsOf)
  if (written.size === 0) return ['docs/package.md has no table of sizes']
  const missing = [...measured.keys()].filter((what) => !written.has(what)).map((what) => `the table lacks ${what}`)
  const extra = [...written.keys()].filter((what) => !measured.has(what)).map((what) => `nothing is known of ${what}`)
  const wrong: string[] = []
  for (const [what, figures] of measured) {
    for (const [column, figure] of figures.entries()) {
      const was = written.get(what)?.[column]
      if (was === undefined || was === figure) continue
      if (Math.abs(Number(figure) - Number(was)) <= TOLERANCE * Number(was)) continue
      wrong.push(`${what} is ${figure}, but ${was} in the table`)
    }
  }
  return [...missing, ...extra, ...wrong]
}

/** The figures of each row of a table, by its first cell. */
function cellsOf(text: string): Map<string, string[]> {
  // The titles have no first cell.
  const rows = text.split('\n').filter((line) => /^\| \S.*[\d–] \|$/.test(line))
  return new Map(
    rows.map((row) => {
      const [, what, ...figures] = row.split('|').map((cell) => cell.trim())
      return [what, figures.slice(0, -1)]
    }),
  )
}

/** The text between the marks of `page`, and what stands around it. */
function split(page: string): [before: string, table: string, after: string] {
  const [start, end] = MARKS.map((mark) => page.indexOf(mark))
  if (start < 0 || end < start) throw new Error(`docs/package.md needs the lines ${MARKS.join(' and ')}`)
  return [page.slice(0, start + MARKS[0].length), page.slice(start + MARKS[0].length, end), page.slice(end)]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const path = join(root, 'docs/package.md')
  const [before, written, after] = split(await readFile(path, 'utf8'))
  const modules = join(root, 'node_modules')
  const { version: ours } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const versions = { ours, ws: await packageVersion(modules, 'ws'), types: await packageVersion(modules, '@types/ws') }
  const table = formatTable(await weighAll(root), versions)
  console.log(table)
  if (process.argv.includes('--write')) {
    await writeFile(path, `${before}\n\n${table}\n\n${after}`)
  } else {
    const stale = compareTables(written, table)
    if (stale.length > 0) {
      console.error(`${stale.join('\n')}\n\`npm run size -- --write\` brings docs/package.md up to date.`)
      process.exitCode = 1
    }
  }
}
