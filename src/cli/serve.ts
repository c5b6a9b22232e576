/**
 * `fullduplex serve`: a server to try clients with. It echoes, passes what one says on to all, or starts a program for each
 * connection; and tells what happens.
 */
import { serve as startServer } from '../server/index.ts'
import type { ServeOptions, ServerConnection, UpgradeRequest, WebSocketServer } from '../server/index.ts'
import type { Command } from './command.ts'
import { eventJson, eventLine } from './events.ts'
import type { Event, View } from './events.ts'
import { Exit, UsageError, wantsColors } from './io.ts'
import type { Io, Output } from './io.ts'
import { LISTEN_OPTIONS, cannotListen, interruption, whereToListen } from './listening.ts'
import type { OptionSpec, Options } from './options.ts'
import { Program } from './program.ts'
import { painter } from './style.ts'
import { fileOf, noPositionals, notBoth } from './values.ts'

const OPTIONS: readonly OptionSpec[] = [
  { name: 'echo', help: ['Send every message back; as without a mode.'] },
  { name: 'broadcast', help: ["Send every message to all, the sender's own too."] },
  {
    name: 'command',
    value: 'COMMAND',
    help: [
      'Start this (for the shell) for each connection: what',
      'it writes becomes messages, and messages its input.',
    ],
  },
  { name: 'binary', help: ['With --command: octets as they come, not lines.'] },
  ...LISTEN_OPTIONS,
  { name: 'path', value: 'PATH', help: ['Serve this path alone; others get 404.'] },
  {
    name: 'protocol',
    short: 'p',
    value: 'NAME',
    multiple: true,
    help: ['Agree to this subprotocol, the best one first.'],
  },
  {
    name: 'origin',
    value: 'ORIGIN',
    multiple: true,
    help: ['Let pages of this origin connect, or of any. Default:', 'those that came from the same host.'],
  },
  { name: 'deflate', help: ['Agree to compression (RFC 7692).'] },
  { name: 'tls-cert', value: 'FILE', help: ['Serve wss with this certificate (PEM),'] },
  { name: 'tls-key', value: 'FILE', help: ['of which this is the key.'] },
  { name: 'wire', help: ['Show every frame with the fields of its header.'] },
  { name: 'json', help: ['Write each event as a JSON object on a line.'] },
  { name: 'quiet', help: ['Say where it listens, and nothing else.'] },
]

export const serve: Command = {
  name: 'serve',
  summary: 'Serve an echo, a broadcast, or a program.',
  usage: ['serve [--echo | --broadcast | --command COMMAND] [OPTIONS]'],
  options: OPTIONS,
  notes: [
    'With --command each connection has a process of its own, with REMOTE_ADDR, REQUEST_URI, PATH_INFO',
    'and QUERY_STRING in its environment. It is ended (SIGTERM, 2 s later SIGKILL) when the connection',
    'has ended. When it ends, the connection is closed: with 1000 if its exit code was 0, else 1011.',
    '',
    'Ctrl-C closes all connections with 1001, and the exit code is 0; 2 when it cannot listen.',
  ],
  examples: [
    'serve',
    'serve --broadcast --port 9000 --origin any',
    'serve --command \'while read line; do echo "$line" | rev; done\' --wire',
  ],
  async run(options: Options, io: Io): Promise<number> {
    noPositionals(options)
    const log = new Log(options, io)
    const where = whereToListen(options)
    const handler = { ...serverOptions(options), ...where }
    const server = await new Service(options, io, log).start(handler).catch((error: unknown): never => {
      throw cannotListen(error, where.port, where.host)
    })
    log.listening(server.url)
    await interruption(io)
    await server.shutdown({ code: 1001 })
    return Exit.Passed
  },
}

function serverOptions(options: Options): ServeOptions<Session> {
  for (const [one, other] of MODES) notBoth(options, one, other)
  if (options.has('binary') && !options.has('command')) throw new UsageError('--binary goes with --command')
  const cert = fileOf(options, 'tls-cert')
  const key = fileOf(options, 'tls-key')
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--tls-cert and --tls-key go together')
  const path = options.get('path')
  const origins = options.all('origin')
  return {
    protocols: options.all('protocol'),
    perMessageDeflate: options.has('deflate'),
    ...(path === undefined ? {} : { path }),
    ...(origins.length === 0 ? {} : { origins: origins.includes('any') ? ('any' as const) : origins }),
    ...(cert && key ? { tls: { cert, key } } : {}),
  }
}

const MODES = [
  ['echo', 'broadcast'],
  ['echo', 'command'],
  ['broadcast', 'command'],
] as const

/** What belongs to a connection. */
interface Session {
  readonly request: UpgradeRequest
  /** 1, 2, 3 … */
  readonly number: number
  program?: Program
}
type Client = ServerConnection<Session>

/** The server in its mode. */
class Service {
  readonly #options: Options
  readonly #io: Io
  readonly #log: Log
  #count = 0

  constructor(options: Options, io: Io, log: Log) {
    this.#options = options
    this.#io = io
    this.#log = log
  }

  async start(options: ServeOptions<Session>): Promise<WebSocketServer<Session>> {
    const log = this.#log
    const answer = this.#mode(() => server)
    const server: WebSocketServer<Session> = await startServer<Session>({
      ...options,
      upgrade: (request) => ({ data: { request, number: ++this.#count } }),
      open: (ws) => this.#open(ws),
      message(ws, data) {
        log.show({ connection: ws.data.number, type: 'message', data })
        answer(ws, data)
      },
      // A program decides by itself when it reads on.
      ...(this.#options.has('command') ? {} : { drain: (ws: Client) => ws.resume() }),
      close(ws, info) {
        ws.data.program?.end()
        log.show({ connection: ws.data.number, type: 'close', info })
      },
      error: (ws, error) => log.show({ connection: ws.data.number, type: 'error', message: error.message }),
      handshakeError: (error) => log.show({ type: 'error', message: `A handshake failed: ${error.message}` }),
    })
    return server
  }

  #open(ws: Client): void {
    const { number: connection, request } = ws.data
    if (this.#options.has('wire')) ws.tap((frame) => this.#log.show({ connection, type: 'frame', frame }))
    const { protocol, extensions, remoteAddress: peer } = ws
    this.#log.show({ connection, type: 'open', peer, target: request.target, protocol, extensions })
    const command = this.#options.get('command')
    if (command !== undefined) ws.data.program = this.#startProgram(ws, command)
  }

  #startProgram(ws: Client, command: string): Program {
    const { path, query, target, remoteAddress } = ws.data.request
    const request = { REMOTE_ADDR: remoteAddress, REQUEST_URI: target, PATH_INFO: path, QUERY_STRING: query.toString() }
    return new Program(ws, {
      command,
      binary: this.#options.has('binary'),
      env: { ...this.#io.env, ...request },
      stderr: (text) => this.#io.stderr.write(text),
    })
  }

  #mode(server: () => WebSocketServer<Session>): (ws: Client, data: string | Buffer) => void {
    if (this.#options.has('command')) return (ws, data) => ws.data.program?.write(data)
    if (this.#options.has('broadcast')) return (_, data) => void server().broadcast(data)
    // Who does not read what comes back is not read from.
    return (ws, data) => {
      if (!ws.send(data)) ws.pause()
    }
  }
}

/** What is shown of a message, in characters. */
const LONGEST_SHOWN = 500

/** What happens, on standard output. */
class Log {
  readonly #options: Options
  readonly #stdout: Output
  readonly #view: View

  constructor(options: Options, { stdout, env }: Io) {
    this.#options = options
    this.#stdout = stdout
    this.#view = { paint: painter(wantsColors(stdout, env)), raw: false, longest: LONGEST_SHOWN }
  }

  listening(url: string): void {
    this.#write(this.#options.has('json') ? JSON.stringify({ type: 'listening', url }) : `Listening on ${url}`)
  }

  show(event: Event): void {
    if (this.#options.has('quiet')) return
    this.#write(this.#options.has('json') ? eventJson(event) : eventLine(event, this.#view))
  }

  #write(line: string): void {
    this.#stdout.write(`${line}\n`)
  }
}
