/**
 * What connections cost in memory: those that wait, those that have said much, and those that do not listen (threats V17,
 * V34, V35). Servers run in processes of their own, and say what they have when their garbage is gone.
 *
 * `SLOW_READERS=10000 npx vitest run test/fault/memory.test.ts` has ten times as many peers that read nothing; the kernel
 * keeps some 200 KiB for each of them.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import type { NetConnectOpts, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { handshake } from '../support/heads.ts'
import { received } from '../support/wire.ts'
import type { Memory, Question, Start } from './memory-process.ts'

const KiB = 1024
const MiB = 1024 * KiB
const SLOW_READERS = Number(process.env['SLOW_READERS'] ?? 1000)
const AT_ONCE = 50

const program = fileURLToPath(new URL('memory-process.ts', import.meta.url))
const leftovers: (() => unknown)[] = []

afterEach(async () => {
  for (const leave of leftovers.splice(0).toReversed()) await leave()
})

async function startServer(options: Start): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(program, [], { execArgv: ['--import', 'tsx'] })
  leftovers.push(() => child.kill('SIGKILL'))
  child.send(options)
  const [port] = (await once(child, 'message')) as [number]
  return { child, port }
}

async function memoryOf(child: ChildProcess, question: Question = {}): Promise<Memory> {
  child.send(question)
  const [memory] = (await once(child, 'message')) as [Memory]
  return memory
}

/** Opens connections, each of which has had its first answer and is paused. */
async function openAll(count: number, where: NetConnectOpts): Promise<Socket[]> {
  const sockets: Socket[] = []
  leftovers.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  const openNext = async (): Promise<void> => {
    while (sockets.length < count) {
      const socket = connect(where)
      sockets.push(socket)
      socket.on('error', () => {})
      socket.write(handshake())
      await once(socket, 'data')
      socket.pause()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, () => openNext()))
  return sockets
}

/** Octets that a server of this kind keeps for an idle connection. */
async function costOfIdle(bare: boolean, count: number): Promise<number> {
  const { child, port } = await startServer({ bare })
  await openAll(AT_ONCE, { port, host: '127.0.0.1' })
  const before = await memoryOf(child)
  await openAll(count, { port, host: '127.0.0.1' })
  const after = await memoryOf(child)
  expect(after.connections).toBe(AT_ONCE + count)
  return (after.used - before.used) / count
}

describe('The memory of a server', () => {
  it('[A08] has at most 512 octets for a connection that is idle, beside its socket', { timeout: 60_000 }, async () => {
    const bare = await costOfIdle(true, 2000)
    expect((await costOfIdle(false, 2000)) - bare).toBeLessThanOrEqual(512)
  })

  it('holds on to no read of a connection that has said much and waits', { timeout: 60_000 }, async () => {
    const { child, port } = await startServer({ bare: false })
    const sockets = await openAll(500, { port, host: '127.0.0.1' })
    const before = await memoryOf(child)
    const frame = received('server', 0x82, Buffer.alloc(64 * KiB - 100))
    // A frame that is cut in its header, after a message: the octets that have come are kept, and no more.
    const cut = Buffer.concat([frame, frame.subarray(0, 3)])
    const answered = sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          let left = frame.length - 4
          socket.on('data', (chunk: Buffer) => {
            left -= chunk.length
            if (left === 0) resolve()
          })
          socket.resume()
        }),
    )
    for (const socket of sockets) socket.write(cut)
    await Promise.all(answered)
    const after = await memoryOf(child)
    expect((after.used - before.used) / sockets.length).toBeLessThan(2 * KiB)
  })

  it('is after a million messages what it was before', { timeout: 60_000 }, async () => {
    const { child, port } = await startServer({ bare: false })
    const [socket] = await openAll(1, { port, host: '127.0.0.1' })
    const message = received('server', 0x81, 'a million times the same')
    const batch = Buffer.concat(Array.from({ length: 1000 }, () => message))
    const echoed = (message.length - 4) * 1000
    let left = 0
    let answered = (): void => {}
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left === 0) answered()
    })
    socket.resume()
    const send = async (batches: number): Promise<void> => {
      for (let i = 0; i < batches; i++) {
        left = echoed
        await new Promise<void>((resolve) => {
          answered = resolve
          socket.write(batch)
        })
      }
    }
    await send(100)
    const before = await memoryOf(child)
    await send(1000)
    const after = await memoryOf(child)
    expect(after.used - before.used).toBeLessThan(MiB / 4)
  })

  it(
    `[V34] [V35] keeps to its limit for each of ${SLOW_READERS} peers that do not read`,
    { timeout: 300_000 },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'fullduplex-'))
      leftovers.push(() => rm(folder, { recursive: true }))
      const socketPath = join(folder, 'socket')
      const limit = 256 * KiB
      const size = 128 * KiB
      const { child } = await startServer({ bare: false, socketPath, maxBufferedAmount: limit })
      await openAll(SLOW_READERS, { path: socketPath })
      const before = await memoryOf(child)
      let memory = before
      for (let i = 0; i < 10 && memory.overflows < SLOW_READERS; i++) {
        memory = await memoryOf(child, { broadcast: size })
        expect(memory.mostBuffered).toBeLessThan(limit + size)
        // All wait for the same octets, so that each has little of its own.
        expect(memory.used - before.used).toBeLessThan(MiB * 8 + 4 * KiB * SLOW_READERS)
      }
      expect(memory.overflows).toBe(SLOW_READERS)
      const after = await memoryOf(child)
      expect(after.connections).toBe(0)
      expect(after.used - before.used).toBeLessThan(MiB)
    },
  )
})
