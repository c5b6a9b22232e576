/**
 * `fullduplex connect`: a client to talk to a server by hand and from scripts. On a terminal there is a prompt; elsewhere each
 * line of standard input is a message, and each message that comes a line of standard output.
 */
import type { CloseInfo } from '../errors.ts'
import { CloseCode } from '../framing/index.ts'
import { CLIENT_OPTIONS, addressOf, clientOptions, explainFailure } from './client-options.ts'
import type { Command } from './command.ts'
import { eventJson, eventLine } from './events.ts'
import type { Event } from './events.ts'
import { Exit, UsageError, isWatched, wantsColors } from './io.ts'
import type { Io, Output } from './io.ts'
import { Gatherer, linesOf } from './lines.ts'
import type { Entry } from './lines.ts'
import type { OptionSpec, Options } from './options.ts'
import { Prompt } from './prompt.ts'
import { painter } from './style.ts'
import { Talk, codeOf } from './talk.ts'
import type { Listener, TalkPlan } from './talk.ts'
import { countOf, onlyPositional, timeOf } from './values.ts'

const OPTIONS: readonly OptionSpec[] = [
  { name: 'send', short: 's', value: 'TEXT', multiple: true, help: ['Send this text first.'] },
  { name: 'commands', help: ['Obey commands such as /ping also where the input', 'is no terminal.'] },
  { name: 'exit-after', value: 'N', help: ['Close when N messages have come.'] },
  {
    name: 'wait',
    value: 'SECONDS',
    help: [
      'After the end of the input, close when nothing has',
      'come for so long. Default: 1, and with --exit-after',
      'forever.',
    ],
  },
  { name: 'wire', help: ['Show every frame with the fields of its header.'] },
  { name: 'json', help: ['Write each event as a JSON object on a line.'] },
  ...CLIENT_OPTIONS,
]

const NO_URL = 'Give the address of a server, such as ws://localhost:8080'
const DEFAULT_WAIT = 1000

export const connect: Command = {
  name: 'connect',
  summary: 'Talk to a WebSocket server, by hand or from a script.',
  usage: ['connect [OPTIONS] ws://HOST:PORT[/PATH]'],
  options: OPTIONS,
  notes: [
    'On a terminal /help shows the commands: /ping, /binary, /close and others. A line that ends',
    'with \\ goes on in the next one, and so do lines between """ and """, and lines pasted together.',
    '',
    'Elsewhere each line of the input is sent as a text, and what comes is written a line for each',
    'text, octets as a hex dump; all else goes to standard error.',
    '',
    'The exit code is 0 when the connection was closed cleanly, by us or with 1000, 1001 or no code;',
    '1 when there was none, when it ended otherwise, or before --exit-after; 2 for wrong usage; and',
    '130 after Ctrl-C.',
  ],
  examples: [
    'connect ws://localhost:8080',
    "connect wss://example.org/chat -p chat.v2 -H 'Authorization: Bearer x' --wire",
    'connect ws://localhost:8080 --send hello --exit-after 1',
    'connect ws://localhost:8080 --json < lines.txt | jq .data',
  ],
  async run(options: Options, io: Io): Promise<number> {
    const plan = readPlan(options)
    return options.has('json') || !isTerminal(io)
      ? talkByStreams(plan, options, io)
      : talkByPrompt(plan, options.all('send'), io)
  },
}

function readPlan(options: Options): TalkPlan {
  const exitAfter = countOf(options, 'exit-after', Infinity, 1, Number.MAX_SAFE_INTEGER)
  const forever = options.get('wait') === 'forever' || (exitAfter !== Infinity && !options.has('wait'))
  return {
    url: addressOf(onlyPositional(options, NO_URL)),
    options: clientOptions(options),
    wire: options.has('wire'),
    exitAfter,
    wait: forever ? Infinity : timeOf(options, 'wait', DEFAULT_WAIT),
  }
}

/** A person at both ends. */
function isTerminal({ stdin, stdout, env }: Io): boolean {
  return stdin.isTTY === true && isWatched(stdout, env)
}

async function talkByStreams(plan: TalkPlan, options: Options, io: Io): Promise<number> {
  const json = options.has('json')
  const paint = painter(wantsColors(io.stdout, io.env))
  const plain = painter(wantsColors(io.stderr, io.env))
  const raw = io.stdout.isTTY !== true
  const talk = await open(plan, io, {
    say: (text) => io.stderr.write(`${text}\n`),
    show(event) {
      if (json) io.stdout.write(`${eventJson(event)}\n`)
      else if (event.type === 'message') io.stdout.write(`${eventLine(event, { paint, raw })}\n`)
      else tell(io.stderr, event, plain)
    },
  })
  if (talk === undefined) return failed(io)
  const commands = options.has('commands') || io.stdin.isTTY === true
  let unreadable = false
  const fed = feed(talk, entriesOf(io.stdin, commands), options.all('send')).catch((error: unknown) => {
    // The connection has ended, and what was left to read with it.
    if (!talk.isOpen) return
    unreadable = true
    io.stderr.write(`fullduplex connect: Cannot read standard input: ${(error as Error).message}.\n`)
    talk.close()
  })
  const info = await talk.ended()
  io.stdin.destroy()
  await fed
  return unreadable ? Exit.Failed : exitCode(talk, info, io)
}

async function talkByPrompt(plan: TalkPlan, first: readonly string[], io: Io): Promise<number> {
  const paint = painter(wantsColors(io.stdout, io.env))
  let print = (text: string): void => void io.stdout.write(`${text}\n`)
  const talk = await open(plan, io, {
    say: (text) => print(text),
    show: (event) => tell({ write: (text) => print(text.slice(0, -1)) }, event, paint),
  })
  if (talk === undefined) return failed(io)
  print(paint('dim', '/help shows what else can be typed than messages; Ctrl-D ends.'))
  const prompt = new Prompt(io, {
    entry: (entry) => void talk.take(entry),
    end: () => (talk.isOpen ? talk.close() : talk.terminate()),
  })
  print = (text) => prompt.print(text)
  for (const text of first) talk.take({ kind: 'text', text })
  const info = await talk.ended()
  prompt.close()
  return exitCode(talk, info, io)
}

function tell(output: Output, event: Event, paint: ReturnType<typeof painter>): void {
  // Who wants to see Pings looks at the wire.
  if (event.type !== 'ping') output.write(`${eventLine(event, { paint, raw: false })}\n`)
}

/** `undefined` where no connection came about, which has been shown then. Throws a `UsageError` for what cannot be asked for. */
async function open(plan: TalkPlan, io: Io, listener: Listener): Promise<Talk | undefined> {
  try {
    const talk = await Talk.open(plan, listener, io.interrupted)
    // It may have been interrupted since the connection was open, which was told before we had it.
    if (io.interrupted.aborted) talk.close(CloseCode.GoingAway)
    else io.interrupted.addEventListener('abort', () => talk.close(CloseCode.GoingAway))
    return talk
  } catch (thrown) {
    const error = thrown as Error
    if (io.interrupted.aborted) return undefined
    if (error instanceof TypeError) throw new UsageError(error.message.replace(/\.$/, ''))
    listener.show({ type: 'error', message: explainFailure(plan.url, error), code: codeOf(error) })
    return undefined
  }
}

function failed({ interrupted }: Io): number {
  return interrupted.aborted ? Exit.Interrupted : Exit.Failed
}

async function* entriesOf(stdin: AsyncIterable<Buffer>, commands: boolean): AsyncGenerator<Entry> {
  const gatherer = new Gatherer()
  for await (const line of linesOf(stdin)) {
    const entry = commands ? gatherer.push(line) : ({ kind: 'text', text: line } as const)
    if (entry !== undefined) yield entry
  }
}

async function feed(talk: Talk, entries: AsyncIterable<Entry>, first: readonly string[]): Promise<void> {
  for (const text of first) talk.take({ kind: 'text', text })
  for await (const entry of entries) {
    if (!talk.take(entry)) await talk.drained()
  }
  talk.endInput()
}

const GOOD_ENDS: ReadonlySet<number> = new Set([
  CloseCode.NormalClosure,
  CloseCode.GoingAway,
  CloseCode.NoStatusReceived,
])

function exitCode(talk: Talk, { code, wasClean, initiator, cause }: CloseInfo, io: Io): number {
  if (io.interrupted.aborted) return Exit.Interrupted
  const clean = wasClean && cause === undefined && (initiator === 'local' || GOOD_ENDS.has(code))
  return clean && talk.complete ? Exit.Passed : Exit.Failed
}
