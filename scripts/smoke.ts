/**
 * A smoke test of `npm start`, by hand and over the wire, with nothing of the library in between: starts it on a free port, waits
 * for the line that names its URL, gets the page, performs an opening handshake with the sample key of RFC 6455 1.3, sees a
 * masked Ping answered by its Pong, and ends the program with SIGTERM, after which it must exit with 0.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { killGroup } from './support/command.ts'

export interface SmokeOptions {
  /** The program and its arguments; it must listen on the port of the environment variable PORT, 0 for a free one. */
  readonly command: readonly [string, ...string[]]
  readonly cwd?: string
  /** The resource name that takes WebSocket handshakes. */
  readonly resourceName: string
  /** Milliseconds for everything together. */
  readonly timeout: number
}

/** Resolves when the program did all that it should; rejects with the first thing that it did not. */
export async function smoke({ command, cwd, resourceName, timeout }: SmokeOptions): Promise<void> {
  const [program, ...args] = command
  // The program leads a group of its own, so that nothing is left of it whatever goes wrong.
  const child = spawn(program, args, {
    cwd,
    detached: true,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const deadline = AbortSignal.timeout(timeout)
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const gone = ended.then(([code, signal]): never => {
    throw new Error(`the program ended with ${signal ?? code} before it was told to`)
  })
  try {
    await within(deadline, Promise.race([probe(child.stdout, resourceName, deadline), gone]))
    child.kill('SIGTERM')
    const [code, signal] = await within(deadline, ended)
    if (code !== 0) throw new Error(`the program ended with ${signal ?? code} on SIGTERM instead of 0`)
  } finally {
    killGroup(child.pid)
  }
}

async function probe(stdout: NodeJS.ReadableStream, resourceName: string, signal: AbortSignal): Promise<void> {
  const url = await readUrl(stdout)
  const response = await fetch(url, { signal })
  const page = await response.text()
  if (!response.ok || !/<html/i.test(page)) throw new Error(`GET ${url.href} answered ${response.status} and no page`)
  await handshake(url, resourceName, signal)
}

/** The first URL that the program prints. */
async function readUrl(stdout: NodeJS.ReadableStream): Promise<URL> {
  const lines = createInterface({ input: stdout })
  try {
    for await (const line of lines) {
      const [url] = /http:\/\/\S+/.exec(line) ?? []
      if (url !== undefined) return new URL(url)
    }
  } finally {
    lines.close()
    // What it prints later is nobody's business, but must not fill the pipe.
    stdout.resume()
  }
  throw new Error('the program printed no URL')
}

/** An opening handshake, and a Ping behind it whose Pong must come back. */
async function handshake({ host, hostname, port }: URL, resourceName: string, signal: AbortSignal): Promise<void> {
  const fields = [
    `GET ${resourceName} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
  ]
  const ping = Buffer.from('89 82 01020304 696b'.replaceAll(' ', ''), 'hex')
  const pong = Buffer.from('8a 02 6869'.replaceAll(' ', ''), 'hex')
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), signal })
  socket.write(`${fields.join('\r\n')}\r\n\r\n`)
  let received = Buffer.alloc(0)
  let open = false
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer])
    const end = received.indexOf('\r\n\r\n')
    if (end === -1) continue
    if (!open) {
      checkAnswer(received.toString('latin1', 0, end))
      open = true
      socket.write(ping)
    }
    if (received.includes(pong, end)) return
  }
  throw new Error(`the connection ended ${open ? 'before a Pong came' : 'within the head of the answer'}`)
}

function checkAnswer(head: string): void {
  const [statusLine, ...fields] = head.split('\r\n')
  if (!statusLine.startsWith('HTTP/1.1 101 ')) throw new Error(`the handshake was answered ${statusLine}`)
  // 1.3: the accept value of the sample key.
  const accepted = fields.some((field) => {
    const [name, value = ''] = field.split(':', 2)
    return name.toLowerCase() === 'sec-websocket-accept' && value.trim() === 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
  })
  if (!accepted) throw new Error(`the handshake was answered without the accept value of the sample key:\n${head}`)
}

function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const late = once(signal, 'abort').then((): never => {
    throw new Error('the program took too long')
  })
  return Promise.race([work, late])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // npm passes SIGTERM on to its shell only. bash becomes the program that it runs, where other shells would die alone.
  await smoke({ command: ['npm', 'start', '--script-shell', 'bash'], resourceName: '/chat', timeout: 60_000 })
}
