/** A library of Python, in a process of its own (host.py): streams go in by its stdin, verdicts come out by its stdout. */
import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { needPackage } from '../../../compat/support/debian.ts'
import { runCommand } from '../../../scripts/support/command.ts'
import type { Deflate, End, Endpoint, Stream, Verdict } from '../verdict.ts'

const python = process.env['PYTHON'] ?? '/usr/bin/python3'
const host = fileURLToPath(new URL('host.py', import.meta.url))
const VERSION = 'import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))'
const COMPRESSION: Record<Deflate, number> = { none: 0, context: 1, single: 2 }
const CLIENT = 1
/** An empty stream: with it the host answers all that it has. */
const END_OF_BATCH = Buffer.alloc(5)

export type Library = 'websockets' | 'wsproto' | 'autobahn'

/** The library in a process that has started; `python3-<name>` of Debian is installed where that is missing and root asks. */
export async function startPython(name: Library): Promise<Endpoint> {
  const asked = (): ReturnType<typeof runCommand> => runCommand(python, ['-c', VERSION, name])
  await needPackage(`python3-${name}`, async () => (await asked()).code === 0)
  const version = (await asked()).output.trim()
  const child = spawn(python, [host, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  const lines = new Lines(child)
  return {
    name,
    version,
    takes: () => true,
    async judge(streams) {
      child.stdin.write(Buffer.concat([...streams.flatMap((stream) => encode(stream)), END_OF_BATCH]))
      const verdicts: Verdict[] = []
      while (verdicts.length < streams.length) verdicts.push(decode(await lines.next()))
      await lines.next()
      return verdicts
    },
    async end() {
      child.stdin.end()
      if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve))
    },
  }
}

function encode({ role, deflate, octets }: Stream): Buffer[] {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(octets.length)
  header[4] = (COMPRESSION[deflate] << 1) | (role === 'client' ? CLIENT : 0)
  return [header, octets]
}

function decode(line: string): Verdict {
  const [events, end, taken] = JSON.parse(line) as [string[], End, number]
  return { events, end, taken }
}

/** The lines that a program prints; to ask for one rejects when it has ended. */
class Lines {
  readonly #lines: string[] = []
  #wanted: { resolve(line: string): void; reject(error: Error): void } | undefined = undefined
  #ended: Error | undefined = undefined

  constructor(child: ChildProcessByStdio<Writable, Readable, null>) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const wanted = this.#wanted
      this.#wanted = undefined
      if (wanted === undefined) this.#lines.push(line)
      else wanted.resolve(line)
    })
    child.once('close', (code, signal) => {
      this.#ended = new Error(`The host of the library ended with ${signal ?? code}`)
      this.#wanted?.reject(this.#ended)
    })
  }

  next(): Promise<string> {
    const line = this.#lines.shift()
    if (line !== undefined) return Promise.resolve(line)
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject }
    })
  }
}
