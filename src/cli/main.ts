#!/usr/bin/env node
/**
 * The program `fullduplex`: binds `run` to this process. It ends by itself when all is written, with the exit code that `run`
 * settles with. The first Ctrl-C (or SIGTERM) asks the command to come to an end, the second one kills it.
 */
import { run } from './run.ts'

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interruption.abort(new Error('Interrupted')))
}

// A reader such as `head` that has had enough is no error of ours, but an end.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  interruption.abort(error)
})

process.exitCode = await run(process.argv.slice(2), {
  // To ask for it opens it, which only those should do who read it.
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  interrupted: interruption.signal,
})
