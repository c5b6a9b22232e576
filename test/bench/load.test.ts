/** The load finds out who answers wrongly, in every kind of traffic, and counts right who does not. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openBroadcasts } from '../../bench/load/broadcasts.ts'
import { openChurn } from '../../bench/load/churn.ts'
import { openEchoes } from '../../bench/load/echoes.ts'
import { checkAnswer, openAll, openingRequest, targetOf } from '../../bench/load/link.ts'
import { measureCost, measureLatency } from '../../bench/load/measure.ts'
import { Unable } from '../../bench/load/plan.ts'
import type { Plan } from '../../bench/load/plan.ts'
import { failure } from '../../bench/load/traffic.ts'
import type { Traffic } from '../../bench/load/traffic.ts'
import { scenarios, small } from '../../bench/scenarios.ts'
import { serve } from '../../src/index.ts'
import type { ServeOptions, WebSocketServer } from '../../src/index.ts'

const libraries: WebSocketServer[] = []
const servers: NetServer[] = []
const sockets: Socket[] = []
const traffics: Traffic[] = []
afterEach(async () => {
  for (const traffic of traffics.splice(0)) traffic.end()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
  await Promise.all(libraries.splice(0).map((server) => server.shutdown({ timeout: 0 })))
})

/** A server of ours, which does with a message what a test wants. */
async function library(message: NonNullable<ServeOptions['message']>, options: ServeOptions = {}): Promise<string> {
  const server = await serve({ host: '127.0.0.1', port: 0, maxMessageSize: 2 ** 25, message, ...options })
  libraries.push(server)
  return `ws://127.0.0.1:${server.port}`
}

/** A server that sends what it is told to: after the request, and after each read from then on. With the last it ends TCP. */
async function octets(...answers: readonly (Buffer | string)[]): Promise<string> {
  const server = createServer((socket) => {
    sockets.push(socket)
    let turn = 0
    socket.on('error', () => {})
    socket.on('data', () => {
      socket.write(answers[turn++] ?? '')
      if (turn === answers.length) socket.end()
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const ACCEPTED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

function plan(id: string, url: string): Plan {
  const [scenario] = scenarios.filter((one) => one.id === id).map(small)
  return { role: 'server', scenario, url, pid: process.pid, check: 'all', warmUp: 0.02, seconds: 0.1, measure: 'cost' }
}

async function open(id: string, url: string): Promise<Traffic> {
  const openers = { replies: openEchoes, broadcast: openBroadcasts, churn: openChurn, idle: openEchoes }
  const one = plan(id, url)
  const traffic = await openers[one.scenario.traffic](one, targetOf(url))
  traffics.push(traffic)
  return traffic
}

describe('a server that answers rightly', () => {
  it.each(['S1-50', 'S1-1', 'S2', 'S3', 'S4'])('is measured in %s', async (id) => {
    const url = await library((ws, data) => ws.send(data))
    const traffic = await open(id, url)
    traffic.run()
    const { count, octets: payload } = await measureCost(traffic, process.pid, plan(id, url))
    expect(count).toBeGreaterThan(0)
    expect(payload / count).toBeGreaterThan(plan(id, url).scenario.size / 2)
  })

  it('may fragment its replies', async () => {
    await expect(open('S3', await library((ws, data) => ws.send(data), { fragmentSize: 100 }))).resolves.toBeDefined()
  })

  it('is measured in S6p: each message goes when all have the one before', async () => {
    const url = await library((_ws, data) => libraries[0].broadcast(data))
    const traffic = await open('S6p', url)
    traffic.run()
    expect((await measureCost(traffic, process.pid, plan('S6p', url))).count).toBeGreaterThan(50)
  })

  it('gets no more broadcasts than may be on their way before all have received one', async () => {
    let held: number | undefined
    const url = await library((ws, data) => {
      if (held === undefined) return libraries[0].broadcast(data)
      held++
      // Its sender alone receives it.
      return ws.send(data)
    })
    const traffic = await open('S6p', url)
    held = 0
    traffic.run()
    await expect.poll(() => traffic.count).toBeGreaterThanOrEqual(16)
    // Whatever would be sent for one of those is sent by the time that others have come and gone.
    const [other] = await openAll(1, targetOf(url), openingRequest(targetOf(url)))
    other.end()
    expect([traffic.count, held]).toEqual([16, 16])
  })

  it('is measured in S7, with a closing handshake each', async () => {
    const closes: number[] = []
    const url = await library(() => {}, { close: (_ws, { code, wasClean }) => closes.push(wasClean ? code : 0) })
    const traffic = await open('S7', url)
    traffic.run()
    expect((await measureCost(traffic, process.pid, plan('S7', url))).count).toBeGreaterThan(0)
    expect(closes.length).toBeGreaterThan(3)
    expect(closes.every((code) => code === 1000)).toBe(true)
  })

  it.each([
    { serverNoContextTakeover: false, clientNoContextTakeover: false },
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
  ])('is measured in S9 with %j', async (perMessageDeflate) => {
    const url = await library((ws, data) => ws.send(data), { perMessageDeflate })
    const traffic = await open('S9', url)
    traffic.run()
    const { count, octets: payload } = await measureCost(traffic, process.pid, plan('S9', url))
    expect(payload / count).toBeLessThan(600)
  })
})

describe('a server that answers wrongly', () => {
  it('with other octets', async () => {
    await expect(open('S2', await library((ws, data) => ws.send(Buffer.from(data).toReversed())))).rejects.toThrow(
      'its reply to message 1 has other octets',
    )
  })

  it('with the octets of another message', async () => {
    const first: (string | Buffer)[] = []
    const url = await library((ws, data) => {
      if (first.length === 0) first.push(Buffer.isBuffer(data) ? Buffer.from(data) : data)
      ws.send(first[0])
    })
    await expect(open('S1-1', url)).rejects.toThrow('its reply to message 2 has other octets')
  })

  it('with another opcode', async () => {
    await expect(open('S1-1', await library((ws, data) => ws.send(Buffer.from(data))))).rejects.toThrow('opcode 2')
  })

  it('twice', async () => {
    const url = await library((ws, data) => {
      ws.send(data)
      ws.send(data)
    })
    await expect(open('S2', url)).rejects.toThrow('more replies than it got messages')
  })

  it('with another size than it was sent', async () => {
    await expect(open('S5', await library((ws) => ws.send('16777215')))).rejects.toThrow('other octets')
  })

  it('with a Close', async () => {
    await expect(open('S2', await library((ws) => void ws.close(1000)))).rejects.toThrow(
      'closed a connection with 03e8',
    )
  })

  it('with masked frames', async () => {
    const masked = Buffer.from('828001020304', 'hex')
    await expect(open('S2', await octets(ACCEPTED, masked))).rejects.toThrow('it masks what it sends')
  })

  it('with a 200', async () => {
    await expect(open('S2', await octets('HTTP/1.1 200 OK\r\n\r\n'))).rejects.toThrow(
      'answers the handshake with HTTP/1.1 200',
    )
  })

  it('with a key that is wrong', async () => {
    await expect(open('S2', await octets(ACCEPTED.replace('s3pP', 's3pp')))).rejects.toThrow('Sec-WebSocket-Accept')
  })

  it('by ending the connection', async () => {
    await expect(open('S2', await octets(ACCEPTED, ''))).rejects.toThrow('it ended a connection')
  })

  it('after it has been checked', async () => {
    let answers = 0
    const url = await library((ws, data) => (answers++ < 50 ? ws.send(data) : ws.close(1001)))
    const traffic = await open('S2', url)
    traffic.run()
    await expect(measureCost(traffic, process.pid, plan('S2', url))).rejects.toThrow('closed a connection')
  })

  it('with a broadcast that is another', async () => {
    const url = await library((_ws, data) => libraries[0].broadcast(`${String(data)}!`))
    await expect(open('S6', url)).rejects.toThrow('is not what it was sent')
  })

  it('without a Close frame for that of the client', async () => {
    await expect(open('S7', await octets(ACCEPTED, ''))).rejects.toThrow('without a Close frame')
  })

  it('with another close code', async () => {
    await expect(open('S7', await octets(ACCEPTED, Buffer.from('880203e9', 'hex')))).rejects.toThrow(
      'it answers a Close with 880203e9',
    )
  })

  it('with compressed octets that are others, inflated', async () => {
    const url = await library((ws, data) => ws.send(String(data).replace('update', 'UPDATE')), {
      perMessageDeflate: true,
    })
    await expect(open('S9', url)).rejects.toThrow('other octets, inflated')
  })
})

it('A server without permessage-deflate is not wrong, but unable', async () => {
  const refused = open('S9', await library((ws, data) => ws.send(data)))
  await expect(refused).rejects.toThrow(new Unable('it has no permessage-deflate'))
  await expect(refused).rejects.toBeInstanceOf(Unable)
})

it('All connections are open, or none', async () => {
  const url = await library(() => {})
  const links = await openAll(250, targetOf(url), openingRequest(targetOf(url)))
  expect([links.length, libraries[0].connections.size]).toEqual([250, 250])
  for (const link of links) link.end()
})

it('Further header fields are as many octets as were asked for', () => {
  const target = { host: '127.0.0.1', port: 80, path: '/' }
  const short = openingRequest(target).length
  for (const more of [100, 1024, 5000]) expect(openingRequest(target, undefined, more).length).toBe(short + more)
  expect(checkAnswer(ACCEPTED)).toBe('')
})

describe('measureLatency', () => {
  /** Answers at once, but is busy for `stall` milliseconds with the tenth message. */
  function stalling(stall: number): Traffic {
    let sent = 0
    const traffic: Traffic = {
      count: 0,
      octets: 0,
      failure: failure().promise,
      answered: () => {},
      run: () => {},
      end: () => {},
      issue(due) {
        const start = performance.now()
        if (++sent === 10) while (performance.now() - start < stall) Math.sqrt(start)
        queueMicrotask(() => traffic.answered(due))
        return 1
      },
    }
    return traffic
  }

  function latencyPlan(rate: number, seconds: number): Plan {
    const one = plan('S2', 'ws://127.0.0.1:1')
    return { ...one, scenario: { ...one.scenario, rate }, warmUp: 0, seconds }
  }

  it('counts from when a message was due, so that a stall is told by all that had to wait for it', async () => {
    const { planned, p50, p99 } = await measureLatency(stalling(300), latencyPlan(1000, 0.4))
    expect(planned).toBeGreaterThan(390)
    // 300 of 400 messages were due in the stall, and waited for half of it on average.
    expect(p50).toBeGreaterThan(50_000)
    expect(p99).toBeGreaterThan(250_000)
  })

  it('tells how many were answered in time, and counts the others as still waiting', async () => {
    const late = stalling(0)
    const { issue } = late
    let sent = 0
    late.issue = (due) => (++sent % 2 === 0 ? 1 : issue(due))
    const { planned, answered, p99 } = await measureLatency(late, latencyPlan(500, 0.1))
    expect(answered).toBeGreaterThan(planned * 0.4)
    expect(answered).toBeLessThan(planned * 0.6)
    expect(p99).toBeGreaterThan(1_000_000)
  })

  it('tells of a program that answers nothing how long it was waited for', async () => {
    const silent = { ...stalling(0), issue: () => 3 }
    const { planned, answered, p50 } = await measureLatency(silent, latencyPlan(200, 0.05))
    expect([planned % 3, answered]).toEqual([0, 0])
    expect(p50).toBeGreaterThan(1_000_000)
  })
})
