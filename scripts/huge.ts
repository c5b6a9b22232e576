/**
 * `npm run huge`: messages that are larger than memory, in both directions, and how much memory they took. Sender and
 * receiver are processes of their own; every octet that arrives is compared, and the largest RSS of each is told.
 *
 *     npm run huge -- fragments frame  some of the ways: there are fragments, frame, compressed, duplex, web
 *     npm run huge -- --gib 0.5        GiB of each message, 4 when not given
 *     npm run huge -- --most 200       MiB that a process may have
 *     npm run huge -- --seconds 300    time for each message
 *
 * The exit code is 1 when any process had more than it may, or anything did not arrive.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Finished, Start, Way } from './support/huge-process.ts'

const MiB = 1_048_576
const program = fileURLToPath(new URL('support/huge-process.ts', import.meta.url))

export const ways: readonly Way[] = ['fragments', 'frame', 'compressed', 'duplex', 'web']
export const senders = ['client', 'server'] as const

export interface Passed {
  readonly seconds: number
  readonly sender: Finished
  readonly receiver: Finished
}

/** Sends so many octets in a `way`, and answers what both ends made of them. Rejects when that takes too long. */
export async function pass(way: Way, sends: 'client' | 'server', octets: number, seconds: number): Promise<Passed> {
  const children = new Set<ChildProcess>()
  const signal = AbortSignal.timeout(seconds * 1000)
  const start = (options: Start): ChildProcess => {
    const child = fork(program, [], { execArgv: ['--import', 'tsx'] })
    children.add(child)
    child.send(options)
    return child
  }
  /** What a child says next; rejects when it ends instead. */
  const heard = <T>(child: ChildProcess): Promise<T> =>
    new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as T))
      child.once('exit', () => reject(new Error(`${way} from the ${sends}: a process ended before it was done`)))
      signal.addEventListener('abort', () => reject(new Error(`${way} from the ${sends}: not done in ${seconds} s`)))
    })
  try {
    const server = start({ way, octets, sends: sends === 'server' })
    const port = await heard<number>(server)
    const began = performance.now()
    const client = start({ way, octets, sends: sends === 'client', port })
    const [ofServer, ofClient] = await Promise.all([heard<Finished>(server), heard<Finished>(client)])
    const took = (performance.now() - began) / 1000
    const [sender, receiver] = sends === 'server' ? [ofServer, ofClient] : [ofClient, ofServer]
    return { seconds: took, sender, receiver }
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(30) : cell.padStart(12))).join('')
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      gib: { type: 'string', default: '4' },
      most: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '300' },
    },
  })
  const [gib, most, seconds] = [values.gib, values.most, values.seconds].map(Number)
  if (![gib, most, seconds].every((value) => value > 0)) throw new RangeError('--gib, --most and --seconds are numbers')
  const unknown = positionals.filter((name) => !ways.some((way) => way === name))
  if (unknown.length > 0) throw new TypeError(`There is no way ${unknown.join(', ')}; there are ${ways.join(', ')}`)
  const octets = Math.round(gib * 1024 * MiB)
  console.log(`${octets} octets each; no process may have more than ${most} MiB\n`)
  console.log(row(['', 'sender', 'receiver', 'time', 'octets']))
  for (const way of ways.filter((name) => positionals.length === 0 || positionals.includes(name))) {
    for (const from of senders) {
      const { sender, receiver, seconds: took } = await pass(way, from, octets, seconds)
      const arrived = receiver.intact && receiver.octets === octets
      const small = Math.max(sender.most, receiver.most) <= most * MiB
      if (!arrived || !small) process.exitCode = 1
      const memory = [sender, receiver].map((end) => `${Math.ceil(end.most / MiB)} MiB`)
      const verdict = arrived ? 'all right' : `${receiver.octets} WRONG`
      console.log(
        row([`${way}, from the ${from}`, ...memory, `${took.toFixed(1)} s`, verdict]) + (small ? '' : '  TOO MUCH'),
      )
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
