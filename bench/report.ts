/**
 * `npx tsx bench/report.ts`: makes `docs/benchmarks.md` and its pictures again from `docs/benchmarks.json`, without measuring
 * anything.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeReport } from './report/write.ts'
import { readResults } from './results.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const results = await readResults(join(root, 'docs/benchmarks.json'))
if (results === undefined) {
  console.error('there is no docs/benchmarks.json yet: npm run bench -- --write makes it')
  process.exitCode = 1
} else {
  await writeReport(results, root)
}
