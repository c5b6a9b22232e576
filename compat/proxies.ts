/** `npm run compat:proxies`: our client and our server with nginx or HAProxy between them, with and without TLS. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../scripts/support/command.ts'
import { Program } from '../scripts/support/program.ts'
import { tryCheck } from './programs/check.ts'
import { ourClient } from './programs/our-client.ts'
import { ourServer } from './programs/our-server.ts'
import { throughProxy } from './proxies/checks.ts'
import { haproxy } from './proxies/haproxy.ts'
import { nginx } from './proxies/nginx.ts'
import type { Proxy, Setting } from './proxies/proxy.ts'
import { needPackage } from './support/debian.ts'
import { runMatrix } from './support/matrix.ts'
import type { ColumnPlan } from './support/matrix.ts'
import { freePorts, listens } from './support/ports.ts'
import { ownStage } from './support/stage.ts'
import type { OwnStage } from './support/stage.ts'

/** Seconds of silence that the proxies allow; they are set so for the checks, and allow a minute or more by themselves. */
const IDLE = 3
/** Milliseconds that a proxy has to start. */
const START = 10_000

type Way = keyof Setting['ports']

const WAYS: Readonly<Record<Way, string>> = {
  plain: '`ws:`',
  ends: '`wss:` to the proxy, `ws:` behind it',
  through: '`wss:` to the proxy, `wss:` behind it',
}

let own: OwnStage

await runMatrix({
  name: 'proxies',
  option: 'proxies',
  minutes: 5,
  help: `Puts a proxy, with a configuration of its own and on free ports, between our client and our server. They come from Debian's
packages ${[nginx, haproxy].map((proxy) => proxy.package).join(' and ')}. It takes two minutes.`,
  columns: [nginx, haproxy].flatMap((proxy) => (Object.keys(WAYS) as Way[]).map((way) => columnOf(proxy, way))),
  async prepare() {
    own = await ownStage('proxies')
    return own.end
  },
})
// Whatever hangs does not keep this program.
process.exit()

function columnOf(proxy: Proxy, way: Way): ColumnPlan {
  return {
    id: `${proxy.name.toLowerCase()}-${way}`,
    choice: proxy.name.toLowerCase(),
    title: async () => `${proxy.name} ${await versionOf(proxy)}, ${WAYS[way]}`,
    async run(wanted, report) {
      const [plain, ends, through] = await freePorts(3)
      const ports = { plain, ends, through }
      const running = await start(proxy, ports)
      try {
        const url = `${way === 'plain' ? 'ws' : 'wss'}://127.0.0.1:${ports[way]}`
        const target = { url, ca: own.certificates.pem.ca, tlsToServer: way === 'through', idle: 1000 * IDLE }
        for (const check of [...ourClient, ...ourServer, ...throughProxy]) {
          if (wanted(check.name)) report(await tryCheck(check, target))
        }
      } finally {
        await running.stop()
      }
    },
  }
}

async function versionOf({ path, package: source, version }: Proxy): Promise<string> {
  await needPackage(source, () => existsSync(path))
  const { output } = await runCommand(path, version.args)
  return version.pattern.exec(output)?.[1] ?? 'of an unknown version'
}

async function start(proxy: Proxy, ports: Setting['ports']): Promise<Program> {
  const { folder, stage, certificates } = own
  const backends = { plain: portOf(stage.ws), secure: portOf(stage.wss) }
  const file = join(folder, `${proxy.name}.conf`)
  await writeFile(file, proxy.configure({ folder, certificates, backends, ports, idle: IDLE }))
  const program = new Program(proxy.path, proxy.args(file), { cwd: folder })
  const ended = program.ended.then((how): never => {
    throw new Error(`${proxy.name} ${how}`)
  })
  // Nobody minds how it ends once it is told to.
  ended.catch(() => {})
  try {
    await Promise.race([listens(ports.plain, START), ended])
    return program
  } catch (error) {
    await program.stop()
    throw error
  }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
