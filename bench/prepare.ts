/** What has to be there before anything is measured: the library as it is built, JavaScript of the programs, packages. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../scripts/support/command.ts'
import { installPackages } from '../scripts/support/packages.ts'
import type { Options } from './options.ts'
import { folder, root } from './programs.ts'
import type { Subject } from './programs.ts'

type Wanted = Pick<Options, 'parts' | 'write'>

/** Packages are installed only for who needs them: others' programs, the codec part, and `--write`, which draws. */
export async function prepare(subjects: readonly Subject[], { parts, write }: Wanted): Promise<void> {
  const needed = write || parts.includes('codec') || subjects.some(({ needsPackages }) => needsPackages)
  if (needed) await installPackages(folder)
  if (subjects.some(({ program }) => program === 'fullduplex')) {
    await access(join(root, 'dist/index.js')).catch(() => {
      throw new Error('the library is not built: npm run build')
    })
  }
  const { code, output } = await runCommand(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
  if (code !== 0) throw new Error(`the programs of the bench could not be compiled:\n${output}`)
}
