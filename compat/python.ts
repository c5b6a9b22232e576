/** `npm run compat:python`: three libraries of Python as clients of our server, and as servers of our client. */
import { join } from 'node:path'
import { runCommand } from '../scripts/support/command.ts'
import { Program } from '../scripts/support/program.ts'
import { tryCheck } from './programs/check.ts'
import { ourClient } from './programs/our-client.ts'
import { runProgram } from './support/cells.ts'
import { needPackage } from './support/debian.ts'
import { root, runMatrix } from './support/matrix.ts'
import type { ColumnPlan } from './support/matrix.ts'
import { ownStage } from './support/stage.ts'
import type { OwnStage } from './support/stage.ts'

/** Milliseconds that a server has to start. */
const START = 30_000
const python = process.env['PYTHON'] ?? '/usr/bin/python3'

/** No folders of compiled files beside the sources. */
const ENVIRONMENT = { PYTHONDONTWRITEBYTECODE: '1' }

/** A program that prints the version of a library, and its own. */
const VERSIONS = `
import importlib.metadata, platform, sys
print(importlib.metadata.version(sys.argv[1]), platform.python_version())
`

let own: OwnStage

await runMatrix({
  name: 'python',
  option: 'libraries',
  minutes: 5,
  help: `Tries Python's websockets, aiohttp and Tornado as clients of our server, and as servers of our client. Python is PYTHON, or
/usr/bin/python3 with Debian's packages python3-websockets, python3-aiohttp and python3-tornado. It takes a minute.`,
  columns: ['websockets', 'aiohttp', 'tornado'].flatMap((library) => [clientColumn(library), serverColumn(library)]),
  async prepare() {
    own = await ownStage('python')
    return own.end
  },
})
// Whatever hangs does not keep this program.
process.exit()

function clientColumn(library: string): ColumnPlan {
  return {
    id: `${library}-client`,
    choice: library,
    title: async () => `${await titleOf(library)} as a client`,
    async run(wanted, report) {
      const { stage, certificates } = own
      const { ws, wss } = stage
      const command = [python, programOf(library), 'client', JSON.stringify({ ws, wss }), certificates.ca] as const
      await runProgram(command, { env: ENVIRONMENT }, (cell) => wanted(cell.check) && report(cell))
    },
  }
}

function serverColumn(library: string): ColumnPlan {
  return {
    id: `${library}-server`,
    choice: library,
    title: async () => `${await titleOf(library)} as a server`,
    async run(wanted, report) {
      const running = new Program(python, [programOf(library), 'server'], { cwd: root, env: ENVIRONMENT })
      try {
        const target = { url: await running.url(START), ca: own.certificates.pem.ca }
        for (const check of ourClient) if (wanted(check.name)) report(await tryCheck(check, target))
      } finally {
        await running.stop()
      }
    },
  }
}

function programOf(library: string): string {
  return join(root, `compat/python/with_${library}.py`)
}

async function titleOf(library: string): Promise<string> {
  const asked = (): ReturnType<typeof runCommand> => runCommand(python, ['-c', VERSIONS, library])
  await needPackage(`python3-${library}`, async () => (await asked()).code === 0)
  const [version, pythonVersion] = (await asked()).output.trim().split(' ')
  return `${library === 'tornado' ? 'Tornado' : library} ${version} (Python ${pythonVersion})`
}
