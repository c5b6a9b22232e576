/**
 * `npm run threats`: whether everything in `docs/threats.tsv` that peers, and applications by mistake, can do is held off by a test that
 * names its row. Prints the rows without a test, the names without a row, and last how many rows there are; any gap is an error.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { collectTests } from './support/collected-tests.ts'
import { groupById } from './support/requirements.ts'
import type { CollectedTest } from './support/requirements.ts'
import { findThreatIds, judgeThreats, parseThreats } from './support/threats.ts'

const LIST = 'docs/threats.tsv'

/** Checks the list below `root` against the tests `collected`. Answers how many rows there are, and what is wrong. */
export async function checkThreats(
  root: string,
  collected: readonly CollectedTest[],
): Promise<{ rows: number; problems: string[] }> {
  const problems: string[] = []
  const rows = parseThreats(LIST, await readFile(join(root, LIST), 'utf8'), problems)
  problems.push(...judgeThreats(rows, groupById(collected, findThreatIds)))
  return { rows: rows.length, problems }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const { rows, problems } = await checkThreats(root, await collectTests(root))
  for (const sentence of problems) console.error(sentence)
  console.log(`${rows} rows, ${problems.length} problems`)
  process.exitCode = problems.length > 0 ? 1 : 0
}
