/** Programs that Debian's packages bring: installed where they are missing and root asks, as on a machine for tests. */
import { existsSync } from 'node:fs'
import process from 'node:process'
import { runCommand } from '../../scripts/support/command.ts'

const APT = '/usr/bin/apt-get'
const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive' }

/** Rejects with a sentence that says what to install, where that cannot be done. */
export async function needPackage(name: string, isHere: () => boolean | Promise<boolean>): Promise<void> {
  if (await isHere()) return
  if (process.getuid?.() === 0 && existsSync(APT)) {
    console.error(`Installing ${name} ...`)
    await runCommand(APT, ['update'], { env: ENVIRONMENT })
    await runCommand(APT, ['install', '-y', '--no-install-recommends', name], { env: ENVIRONMENT })
    if (await isHere()) return
  }
  throw new Error(`${name} is missing: apt-get install ${name}`)
}
