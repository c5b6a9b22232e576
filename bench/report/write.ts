/**
 * Writes the page and its pictures below `root`: `docs/benchmarks.md` and `docs/images/bench-*.svg`, as the formatter wants them, and
 * removes pictures that no figure asks for any more. What draws is installed first where it is missing.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../scripts/support/command.ts'
import { installPackages } from '../../scripts/support/packages.ts'
import type { Results } from '../results.ts'
import { charts } from './charts.ts'
import { page } from './page.ts'

const bench = fileURLToPath(new URL('..', import.meta.url))
const oxfmt = join(bench, '../node_modules/.bin/oxfmt')

export async function writeReport(results: Results, root: string): Promise<void> {
  await installPackages(bench)
  const { draw } = await import('./draw.ts')
  const images = join(root, 'docs/images')
  await mkdir(images, { recursive: true })
  const wanted = charts(results)
  const stale = (await readdir(images)).filter((name) => {
    return /^bench-.*\.svg$/.test(name) && !wanted.some(({ file }) => file === name)
  })
  for (const name of stale) await rm(join(images, name))
  for (const chart of wanted) await writeFile(join(images, chart.file), draw(chart))
  const path = join(root, 'docs/benchmarks.md')
  await writeFile(path, page(results))
  const { code, output } = await runCommand(oxfmt, [path], { cwd: root })
  if (code !== 0) throw new Error(`oxfmt failed:\n${output}`)
}
