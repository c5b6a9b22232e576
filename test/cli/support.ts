/** A world for commands: streams that remember, peers to judge that end with the test, a folder that goes with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { Io, Output } from '../../src/cli/io.ts'
import { run } from '../../src/cli/run.ts'
import { connect } from '../../src/client/index.ts'
import type { TappedFrame } from '../../src/connection/index.ts'
import { serve } from '../../src/server/index.ts'
import type { ServeOptions } from '../../src/server/index.ts'

export class Recorder implements Output {
  readonly isTTY: boolean
  readonly columns: number | undefined
  text = ''
  onWrite: (text: string) => void = () => {}

  constructor(columns?: number) {
    this.isTTY = columns !== undefined
    this.columns = columns
  }

  write(text: string): void {
    this.text += text
    this.onWrite(text)
  }
}

export interface FakeIo extends Io {
  readonly stdin: PassThrough & { readonly isTTY: boolean }
  readonly stdout: Recorder
  readonly stderr: Recorder
  /** Ctrl-C. */
  interrupt(): void
}

/** With `columns` both streams are terminals. */
export function fakeIo(columns?: number, env: Io['env'] = {}): FakeIo {
  const interruption = new AbortController()
  return {
    stdin: Object.assign(new PassThrough(), { isTTY: columns !== undefined }),
    stdout: new Recorder(columns),
    stderr: new Recorder(columns),
    env,
    interrupted: interruption.signal,
    interrupt: () => interruption.abort(new Error('Interrupted')),
  }
}

/** Runs a command line to its end, with `input` as its standard input. */
export async function cli(
  args: readonly string[],
  input = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const io = fakeIo()
  io.stdin.end(input)
  const code = await run(args, io)
  return { code, stdout: io.stdout.text, stderr: io.stderr.text }
}

/** The text that a stream has, once `wanted` is in it. */
export function written(recorder: Recorder, wanted: string | RegExp): Promise<string> {
  const found = (): boolean =>
    typeof wanted === 'string' ? recorder.text.includes(wanted) : wanted.test(recorder.text)
  return new Promise((resolve) => {
    const before = recorder.onWrite
    const look = (): void => {
      if (found()) resolve(recorder.text)
    }
    recorder.onWrite = (text) => {
      before(text)
      look()
    }
    look()
  })
}

/** A server that echoes; with `mute` it takes messages and says nothing. */
export async function startServer(options: Partial<ServeOptions> & { mute?: boolean } = {}): Promise<string> {
  const { mute = false, tls, ...rest } = options
  const server = await serve({
    host: '127.0.0.1',
    ...rest,
    ...(tls && { tls }),
    message: (ws, data) => {
      if (!mute) ws.send(data)
    },
  })
  onTestFinished(() => server.shutdown({ timeout: 0 }).then(() => {}))
  return `${tls ? 'wss' : 'ws'}://127.0.0.1:${server.port}`
}

/** A client that echoes, as the kit drives it. */
export async function driveClient(url: string): Promise<void> {
  let count = 0
  await converse(`${url}/getCaseCount`, (data) => void (count = Number(data)))
  for (let at = 1; at <= count; at++) await converse(`${url}/runCase?case=${at}&agent=echo%201`, (data) => data)
  await converse(`${url}/updateReports?agent=echo%201`, () => {})
}

function converse(url: string, answer: (data: string | Buffer) => string | Buffer | void): Promise<void> {
  return new Promise((resolve, reject) => {
    connect(url, {
      message: (ws, data) => {
        const reply = answer(data)
        if (reply !== undefined) ws.send(reply)
      },
      close: () => resolve(),
    }).catch(reject)
  })
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fullduplex-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A frame as a tap tells it: an empty text that came in, but for what is given. */
export function tapped(fields: Partial<TappedFrame>): TappedFrame {
  const { payload = Buffer.alloc(0) } = fields
  return {
    at: 0,
    direction: 'in',
    connection: undefined as unknown as TappedFrame['connection'],
    fin: true,
    rsv1: false,
    rsv2: false,
    rsv3: false,
    opcode: 1,
    masked: false,
    maskingKey: undefined,
    extendedLength: 0,
    payloadLength: payload.length,
    payload,
    ...fields,
  }
}
