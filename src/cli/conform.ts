/**
 * `fullduplex conform`: judges a WebSocket server, or with `--listen` the clients that come, and tells what came of it: on the
 * terminal, as JSON, as an HTML file.
 */
import { cases, selectCases, totals } from '../conformance/index.ts'
import type { Command } from './command.ts'
import { Exit, UsageError } from './io.ts'
import type { Io } from './io.ts'
import { judge, selection } from './judging.ts'
import type { Target } from './judging.ts'
import type { OptionSpec, Options } from './options.ts'
import { Outputs } from './outputs.ts'
import { portOf } from './values.ts'

const OPTIONS: readonly OptionSpec[] = [
  { name: 'listen', value: 'PORT', help: ['Judge clients that connect to this port;', '0 takes one that is free.'] },
  { name: 'host', value: 'HOST', help: ['Where to listen. Default: 127.0.0.1.'] },
  { name: 'only', value: 'CASES', multiple: true, help: ['Run these alone, such as 1,2,6.4 or 3.2.'] },
  { name: 'exclude', value: 'CASES', multiple: true, help: ['Do not run these.'] },
  { name: 'quick', help: ['Leave out what takes long: 9, 12 and 13.'] },
  { name: 'list', help: ['Show the cases, and run none.'] },
  {
    name: 'json',
    value: 'FILE',
    fallback: '-',
    help: ['Write JSON to a file; without one, or with -,', 'to standard output and nothing else there.'],
  },
  { name: 'report', value: 'FILE', help: ['Write an HTML report with wire logs.'] },
  { name: 'all-logs', help: ['Wire logs in full also of cases that are OK.'] },
  { name: 'concurrency', value: 'N', help: ['Cases at once, 1 to 64. Default: 4.'] },
  { name: 'timeout-factor', value: 'X', help: ['Multiply every time limit. Default: 1.'] },
  { name: 'header', value: "'NAME: VALUE'", multiple: true, help: ['Send a field in every opening handshake.'] },
  { name: 'insecure', help: ['Take any certificate of a wss server.'] },
]

const NO_TARGET = 'Give the address of a server, such as ws://localhost:8080, or --listen PORT'

export const conform: Command = {
  name: 'conform',
  summary: 'Judge a WebSocket server or client by RFC 6455 and RFC 7692.',
  usage: ['conform [OPTIONS] ws://HOST:PORT[/PATH]', 'conform [OPTIONS] --listen PORT'],
  options: OPTIONS,
  notes: [
    'The peer has to echo every message. The exit code is 0 when nothing FAILED, 1 when',
    'something did, 2 when nothing could be judged, and 130 after Ctrl-C.',
  ],
  examples: [
    'conform ws://localhost:8080',
    'conform --quick --report report.html wss://echo.example/ws',
    'conform --listen 9001',
  ],
  async run(options: Options, io: Io): Promise<number> {
    const target = readTarget(options)
    if (options.has('list')) return list(target, options, io)
    if (target === undefined) throw new UsageError(NO_TARGET)
    const outputs = new Outputs(options)
    try {
      const report = await judge(target, options, io)
      outputs.write(report, io)
      if (io.interrupted.aborted) return Exit.Interrupted
      return totals(report).verdict.FAILED > 0 ? Exit.Failed : Exit.Passed
    } catch (error) {
      outputs.discard()
      throw error
    }
  },
}

/** What only one of the two directions understands. */
const FOR_SERVERS = ['header', 'insecure', 'concurrency']

function readTarget(options: Options): Target | undefined {
  const [url, ...more] = options.positionals
  const listen = options.get('listen')
  if (more.length > 0) throw new UsageError('Give one address only')
  if (listen === undefined) {
    if (options.has('host')) throw new UsageError('--host goes with --listen')
    return url === undefined ? undefined : { url }
  }
  if (url !== undefined) throw new UsageError('Give either an address or --listen')
  const alien = FOR_SERVERS.find((name) => options.has(name))
  if (alien !== undefined) throw new UsageError(`--${alien} does not go with --listen`)
  return { port: portOf(options, 'listen', 0), host: options.get('host') ?? '127.0.0.1' }
}

function list(target: Target | undefined, options: Options, io: Io): number {
  const peer = target === undefined ? undefined : 'url' in target ? 'server' : 'client'
  for (const { id, title, peer: role } of attempt(() => selectCases(cases, { ...selection(options), peer }))) {
    io.stdout.write(`${id.padEnd(8)}${title}${role === undefined ? '' : ` (for a ${role})`}\n`)
  }
  return Exit.Passed
}

/** Calls what refuses wrong options, whose error the reader can mend. */
function attempt<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}
