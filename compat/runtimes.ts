/** `npm run compat:runtimes`: the package, as it is installed, under Bun and Deno, as a server and as a client. */
import { join } from 'node:path'
import { Program } from '../scripts/support/program.ts'
import { runProgram } from './support/cells.ts'
import { writeCertificates } from './support/certificates.ts'
import type { CertificateFiles } from './support/certificates.ts'
import { runMatrix } from './support/matrix.ts'
import type { ColumnPlan } from './support/matrix.ts'
import { installPackage } from './support/package.ts'
import type { Project } from './support/package.ts'
import { bun, deno, ownNode } from './support/runtimes.ts'
import type { Runtime } from './support/runtimes.ts'

/** Milliseconds that a server has to start, and to end once it is told to. */
const START = 30_000
const END = 10_000

let project: Project
let certificates: CertificateFiles

await runMatrix({
  name: 'runtimes',
  option: 'runtimes',
  minutes: 5,
  help: `Builds the package, installs it into an empty project, and runs its server and its client there under Bun and Deno, each
with itself and with Node on the other side. It takes some two minutes.`,
  columns: [
    ...columnsOf('bun', bun),
    ...columnsOf('deno', deno),
    columnOf('node', 'node-node', { server: ownNode, client: ownNode }),
  ],
  async prepare() {
    project = await installPackage()
    certificates = await writeCertificates(project.folder)
    return () => project.remove()
  },
})
// Whatever hangs does not keep this program.
process.exit()

function columnsOf(name: string, runtime: Runtime): ColumnPlan[] {
  return [
    columnOf(name, `${name}-node`, { server: runtime, client: ownNode }),
    columnOf(name, `node-${name}`, { server: ownNode, client: runtime }),
    columnOf(name, `${name}-${name}`, { server: runtime, client: runtime }),
  ]
}

function columnOf(choice: string, id: string, { server, client }: { server: Runtime; client: Runtime }): ColumnPlan {
  return {
    id,
    choice,
    title: async () => `server: ${await server.title()}; client: ${await client.title()}`,
    async run(wanted, report) {
      const { folder } = project
      const { key, cert, ca } = certificates
      const args = [...server.args, join(folder, 'server.js'), key, cert, join(folder, `${id}.sock`)]
      const running = new Program(server.executable, args, { cwd: folder })
      try {
        const endpoints = await running.url(START)
        const command = [client.executable, ...client.args, join(folder, 'client.js'), endpoints, ca] as const
        await runProgram(command, { cwd: folder }, (cell) => wanted(cell.check) && report(cell))
        const how = await endOf(running)
        const check = 'the server ends by itself when it is shut down'
        if (how === 'ended with 0') report({ check, outcome: 'passed' })
        else report({ check, outcome: 'failed', note: `it ${how}` })
      } finally {
        await running.stop()
      }
    },
  }
}

/** How a program ends that is asked to. */
async function endOf(program: Program): Promise<string> {
  process.kill(program.pid, 'SIGTERM')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`was still there after ${END / 1000} s`), END)
  })
  try {
    return await Promise.race([program.ended, late])
  } finally {
    clearTimeout(timer)
  }
}
