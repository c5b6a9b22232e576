/**
 * No file descriptors left (EMFILE), in a process that may have few: nobody can be accepted, and nobody be connected to. A
 * server has to go on all the same, and a client to say why it cannot.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serve } from '../../src/index.ts'
import { handshake } from '../support/heads.ts'
import { RawClient } from '../support/raw-client.ts'
import { received } from '../support/wire.ts'
import type { News, Order } from './support/fault-descriptors-process.ts'

/** What a process may have, and more connections than that. */
const DESCRIPTORS = 96
const CONNECTIONS = 200
/** Enough of them get in to show that the limit is where they think. */
const SOME = 10

const program = fileURLToPath(new URL('support/fault-descriptors-process.ts', import.meta.url))

interface Poor {
  readonly child: ChildProcess
  readonly port: number
}

async function heard(child: ChildProcess): Promise<News> {
  const [news] = (await once(child, 'message')) as [News]
  return news
}

/** Starts it; the shell sets the limit for what it becomes. */
async function start(): Promise<Poor> {
  const command = `ulimit -n ${DESCRIPTORS} && exec "$0" --import tsx "$1"`
  const child = spawn('sh', ['-c', command, process.execPath, program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const news = await heard(child)
  return { child, port: 'port' in news ? news.port : 0 }
}

async function expectEcho(client: RawClient, text: string): Promise<void> {
  expect(await client.write(received('server', 0x81, text)).readText()).toBe(text)
}

describe.skipIf(process.platform === 'win32')('Without file descriptors', () => {
  it('a server serves those whom it has, and accepts again when some have gone', async () => {
    const { child, port } = await start()
    const honest = await RawClient.connect({ port })
    expect((await honest.write(handshake()).readHead()).status).toBe(101)
    const crowd = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const client = await RawClient.connect({ port })
        return client.write(handshake())
      }),
    )
    // Whoever is not served is hung up on; nobody waits for ever.
    const answers = await Promise.all(
      crowd.map(async (client) => {
        try {
          return (await client.readHead()).status
        } catch {
          return 0
        }
      }),
    )
    const served = answers.filter((status) => status === 101).length
    expect(served).toBeGreaterThan(SOME)
    expect(served).toBeLessThan(DESCRIPTORS)
    await expectEcho(honest, 'still there?')
    for (const client of crowd) client.destroy()
    await Promise.all(crowd.map(({ closed }) => closed))
    // Its system has heard that they have gone when it answers somebody behind them.
    await expectEcho(honest, 'again')
    for (let i = 0; i < SOME; i++) {
      const client = await RawClient.connect({ port })
      expect((await client.write(handshake()).readHead()).status).toBe(101)
      await expectEcho(client, 'next')
      client.destroy()
    }
    expect([child.exitCode, child.signalCode]).toEqual([null, null])
    honest.destroy()
  })

  it('a client says why it cannot connect, and connects when there are some again', async () => {
    const server = await serve({ host: '127.0.0.1', message: (ws, data) => ws.send(data) })
    onTestFinished(() => server.shutdown({ timeout: 0 }))
    const { child } = await start()
    child.send({ connect: `ws://127.0.0.1:${server.port}` } satisfies Order)
    expect(await heard(child)).toEqual({
      failed: {
        code: 'ERR_WS_CONNECT_FAILED',
        message: `Cannot connect to ws://127.0.0.1:${server.port}: EMFILE; the cause of this error tells more`,
        cause: 'EMFILE',
      },
      later: 'again',
    })
  })
})
