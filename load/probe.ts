/**
 * What is loaded into every process that is watched, before its own program: it answers questions over the channel to the process
 * that started it. Each knows `sample`; programs add others. It works in any server that Node runs, whatever library that has.
 */
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import { isMainThread } from 'node:worker_threads'
import type { Latency } from './latency.ts'

/** What a process has when its garbage is gone, and how its event loop did since it was asked last. */
export interface Sample {
  /** Octets in use, of the heap and of Buffers. */
  readonly used: number
  /** Octets that the process has in RAM. */
  readonly rss: number
  /** Open file descriptors: sockets, and some of Node's own. */
  readonly descriptors: number
  /** What keeps the event loop alive: sockets, servers, timers. */
  readonly resources: number
  /** How late timers were, in milliseconds; zeros unless the process was asked to time its loop. */
  readonly delay: Omit<Latency, 'count'>
}

export interface Question {
  readonly question: string
  readonly argument: unknown
}

/** One of the first two. */
export interface Answer {
  readonly answer?: unknown
  readonly error?: string
  /** The process knows no such question. */
  readonly unknown?: true
}

type Answering = (argument: never) => unknown

const answers = new Map<string, Answering>([
  ['sample', sample],
  ['time the loop', timeLoop],
])

/** Has the process answer a question; what is thrown is an answer, too. */
export function answer(question: string, answering: Answering): void {
  answers.set(question, answering)
}

/** Milliseconds between the timers that tell the delay; they come at least so late. */
const RESOLUTION = 5
const NANOSECONDS = 1e6
const delays = monitorEventLoopDelay({ resolution: RESOLUTION })

/**
 * Looking for objects, of whatever class, begins with the most thorough collection that V8 has, after which empty pages go back to the system. With `gc()` they
 * stay for some seconds.
 */
function collect(): void {
  queryObjects(WeakRef, { format: 'count' })
}

/** Not unasked, as it wakes a process that has nothing to do. */
function timeLoop(): void {
  delays.enable()
}

async function sample(): Promise<Sample> {
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION)
  const delay = { p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), max: late(delays.max) }
  // What has ended is let go of within a few turns.
  for (let each = 0; each < 5; each++) await turn()
  collect()
  await turn()
  const { heapUsed, external, rss } = process.memoryUsage()
  // The collection is ours, and not what kept the loop waiting.
  delays.reset()
  return {
    used: heapUsed + external,
    rss,
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
    delay,
  }
}

async function reply({ question, argument }: Question): Promise<Answer> {
  const answering = answers.get(question)
  if (answering === undefined) return { unknown: true }
  try {
    return { answer: await answering(argument as never) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

// Only the program itself has a channel: neither its threads nor what it starts.
if (isMainThread && process.send !== undefined) {
  process.on('message', (question: Question) => {
    void reply(question).then((told) => process.send?.(told))
  })
  process.on('disconnect', () => process.exit())
}
