/** A world for commands: streams that remember, peers to judge that end with the test, a folder that goes with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Io, Output } from '../../src/cli/io.ts'
import { connect } from '../../src/client/index.ts'
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
  readonly stdout: Recorder
  readonly stderr: Recorder
  /** Ctrl-C. */
  interrupt(): void
}

/** With `columns` both streams are terminals. */
export function fakeIo(columns?: number, env: Io['env'] = {}): FakeIo {
  const interruption = new AbortController()
  return {
    stdout: new Recorder(columns),
    stderr: new Recorder(columns),
    env,
    interrupted: interruption.signal,
    interrupt: () => interruption.abort(new Error('Interrupted')),
  }
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
