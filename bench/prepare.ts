/** What has to be there before anything is measured: the library as it is built, JavaScript of the programs, packages. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../scripts/support/command.ts'
import { installPackages } from '../scripts/support/packages.ts'
import type { Part } from './options.ts'
import { folder, root } from './programs.ts'
import type { Subject } from './programs.ts'

/** Packages are installed only for who needs them; ours, `ws` and `raw` do not, where this Node runs them. */
export async function prepare(subjects: readonly Subject[], parts: readonly Part[]): Promise<void> {
  if (parts.includes('codec') || subjects.some(({ needsPackages }) => needsPackages)) await installPackages(folder)
  if (subjects.some(({ program }) => program === 'fullduplex')) {
    await access(join(root, 'dist/index.js')).catch(() => {
      throw new Error('the library is not built: npm run build')
    })
  }
  const { code, output } = await runCommand(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
  if (code !== 0) throw new Error(`the programs of the bench could not be compiled:\n${output}`)
}
