/** `fullduplex bench`: how many messages a server echoes in a second, and how long they take. */
import { groupDigits, octetCount } from '../conformance/index.ts'
import { HandshakeError } from '../errors.ts'
import { CLIENT_OPTIONS, addressOf, clientOptions, explainFailure } from './client-options.ts'
import type { Command } from './command.ts'
import { CommandError, Exit, UsageError, isWatched, wantsColors } from './io.ts'
import type { Io } from './io.ts'
import { Load } from './load.ts'
import type { LoadPlan, LoadResult } from './load.ts'
import type { OptionSpec, Options } from './options.ts'
import { painter } from './style.ts'
import type { Paint } from './style.ts'
import { countOf, notBoth, onlyPositional, timeOf } from './values.ts'

const OPTIONS: readonly OptionSpec[] = [
  { name: 'connections', value: 'N', help: ['Default: 10.'] },
  { name: 'size', value: 'OCTETS', help: ['Of each message. Default: 32.'] },
  { name: 'binary', help: ['Send binary messages. Default: text.'] },
  { name: 'depth', value: 'N', help: ['Messages under way on each connection. Default: 1.'] },
  {
    name: 'rate',
    value: 'N',
    help: ['Send N messages in a second in all, whatever comes', 'back, instead of one for each that came.'],
  },
  { name: 'seconds', value: 'SECONDS', help: ['How long it counts. Default: 5.'] },
  { name: 'warm-up', value: 'SECONDS', help: ['How long it runs before. Default: 1.'] },
  { name: 'messages', value: 'N', help: ['End when so many have come back.'] },
  { name: 'json', help: ['Write JSON.'] },
  ...CLIENT_OPTIONS,
]

const MOST = Number.MAX_SAFE_INTEGER
const NO_URL = 'Give the address of an echo server, such as ws://localhost:8080'

export const bench: Command = {
  name: 'bench',
  summary: 'Measure how fast a server echoes.',
  usage: ['bench [OPTIONS] ws://HOST:PORT[/PATH]'],
  options: OPTIONS,
  notes: [
    'The server has to echo every message. With --rate a latency counts from when the message was',
    'due, so that a server that stalls cannot hide it; up to 1 ms of it is the timer of this program.',
    'What has not come back 2 s after the end counts with the time that it waited.',
    '',
    'It is one process: where it needs all of its core, it is what is measured, and it says so.',
    'To compare libraries, npm run bench in a checkout of this project.',
    '',
    'The exit code is 0, or 1 when a connection ended or something else came back, 2 when there was',
    'nothing to measure, and 130 after Ctrl-C.',
  ],
  examples: [
    'bench ws://localhost:8080 --connections 50 --depth 10',
    'bench ws://localhost:8080 --rate 5000 --seconds 30',
    'bench ws://localhost:8080 --size 65536 --binary --json',
  ],
  async run(options: Options, io: Io): Promise<number> {
    const plan = readPlan(options)
    const load = new Load(plan)
    await open(load, plan, io)
    if (io.interrupted.aborted) {
      await load.close()
      return Exit.Interrupted
    }
    const watching = watch(load, io)
    const result = await load.run(io.interrupted)
    watching.end()
    await load.close()
    const paint = painter(wantsColors(io.stdout, io.env))
    io.stdout.write(`${options.has('json') ? resultJson(plan, result) : resultLines(plan, result, paint).join('\n')}\n`)
    if (io.interrupted.aborted) return Exit.Interrupted
    return result.failure === undefined ? Exit.Passed : Exit.Failed
  },
}

function readPlan(options: Options): LoadPlan {
  notBoth(options, 'depth', 'rate')
  const rate = countOf(options, 'rate', 0, 1, 10_000_000)
  return {
    url: addressOf(onlyPositional(options, NO_URL)),
    options: clientOptions(options),
    connections: countOf(options, 'connections', 10, 1, 60_000),
    size: countOf(options, 'size', 32, 0, 64 * 1024 * 1024),
    binary: options.has('binary'),
    depth: countOf(options, 'depth', 1, 1, 100_000),
    rate: rate === 0 ? undefined : rate,
    duration: timeOf(options, 'seconds', 5000, 0.001),
    warmUp: timeOf(options, 'warm-up', 1000),
    messages: countOf(options, 'messages', MOST, 1, MOST),
  }
}

async function open(load: Load, plan: LoadPlan, { interrupted }: Io): Promise<void> {
  try {
    await load.open(interrupted)
  } catch (error) {
    if (interrupted.aborted) return
    await load.close()
    if (error instanceof HandshakeError) throw new CommandError(explainFailure(plan.url, error))
    throw new UsageError((error as Error).message.replace(/\.$/, ''))
  }
}

/** Milliseconds between two drawings of the progress. */
const REDRAW = 200

/** The progress on standard error, where somebody watches. */
function watch(load: Load, { stderr, env }: Io): { end(): void } {
  if (!isWatched(stderr, env)) return { end: () => {} }
  const timer = setInterval(() => {
    const { messages, part } = load.progress
    stderr.write(`\r\u{1b}[K${Math.floor(part * 100)} %  ${groupDigits(String(messages))} messages`)
  }, REDRAW)
  return {
    end: () => {
      clearInterval(timer)
      stderr.write('\r\u{1b}[K')
    },
  }
}

function resultJson({ url, connections, size, binary, depth, rate }: LoadPlan, result: LoadResult): string {
  const load = { url, connections, size, binary, ...(rate === undefined ? { depth } : { targetRate: rate }) }
  return JSON.stringify({ ...load, ...result }, undefined, 2)
}

/** A core that is busy for longer leaves messages waiting in this process. */
const BUSY = 0.9

/** The result for people. */
export function resultLines(plan: LoadPlan, result: LoadResult, paint: Paint): string[] {
  const { url, connections, size, binary, depth, rate } = plan
  const { latency } = result
  const pace = rate === undefined ? `${depth} under way on each` : `${groupDigits(String(rate))} due each second`
  const kind = binary ? 'binary' : 'text'
  const lines = [
    `${url}: ${connections} connection${connections === 1 ? '' : 's'}, ${octetCount(size)} of ${kind}, ${pace}`,
    `  ${paint('bold', `${whole(result.rate)} messages/s`)}, ${whole(result.messages)} in ${(result.duration / 1000).toFixed(2)} s`,
    `  ${Object.entries(latency)
      .map(([name, ms]) => `${name} ${paint('bold', ms.toFixed(2))}`)
      .join('  ')}  ms`,
  ]
  if (result.unanswered > 0) lines.push(paint('yellow', `  ${whole(result.unanswered)} did not come back`))
  if (result.cpu > BUSY) {
    const percent = Math.round(result.cpu * 100)
    lines.push(paint('yellow', `  This process took ${percent} % of a core: the server may be faster than that`))
  }
  if (result.failure !== undefined) lines.push(paint('red', `  ${result.failure}`))
  return lines
}

function whole(number: number): string {
  return groupDigits(String(Math.round(number)))
}
