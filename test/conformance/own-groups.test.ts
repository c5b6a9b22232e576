/**
 * Our own groups, 20 and up: how many cases they have, and what `ws` makes of them, with the rules that it breaks. That our
 * server and our client pass them is in `ours`; of sections 12 and 13, which take minutes, some cases are here.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { onMessage } from '../../peers/support/ws.ts'
import type { Report, RunOptions } from '../../src/conformance/index.ts'
import { cases, testServer } from '../../src/conformance/index.ts'
import { driveClient, ourClient, testOurServer } from './endpoints.ts'
import type { Client } from './endpoints.ts'

/** Cases of each group, those for servers and those for clients. */
const GROUPS = {
  '20': 102,
  '21': 67,
  '22': 28,
  '23': 42,
  '24': 39,
  '25': 17,
  '26': 5,
  '27': 15,
  '28': 9,
  '29': 11,
  '30': 17,
}

describe('our own groups', () => {
  it.each(Object.entries(GROUPS))('of number %s have %d cases', (group, count) => {
    expect(cases.filter(({ id }) => id.startsWith(`${group}.`))).toHaveLength(count)
  })
})

/** Every content, every set of parameters, and messages that are cut and that are not. */
const SOME_OF_DEFLATE: RunOptions = {
  only: [
    ...['12.1.1', '12.2.2', '12.3.3', '12.4.3', '12.5.4', '12.5.11'],
    ...['13.1.1', '13.2.2', '13.3.3', '13.3.11', '13.4.1', '13.5.4', '13.6.2', '13.7.3'],
  ],
}

describe('some cases of sections 12 and 13', () => {
  it.each([
    ['server', (): Promise<Report> => testOurServer(SOME_OF_DEFLATE)],
    ['client', (): Promise<Report> => driveClient(ourClient, SOME_OF_DEFLATE)],
  ])(
    'are OK for our %s',
    async (_, run) => {
      const { results } = await run()
      expect(results.map(({ id, verdict, explanation }) => `${id} ${verdict}${explanation}`)).toEqual(
        SOME_OF_DEFLATE.only?.map((id) => `${id} OK`),
      )
    },
    120_000,
  )
})

/** Without limits of its own, and with permessage-deflate in both roles. */
const WS = { perMessageDeflate: true, maxPayload: 0, maxFragments: 0 }

async function testWsServer(options: RunOptions): Promise<Report> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...WS })
  server.on('connection', (ws) => onMessage(ws))
  await once(server, 'listening')
  try {
    return await testServer(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, options)
  } finally {
    for (const ws of server.clients) ws.terminate()
    server.close()
  }
}

const wsClient: Client = (url, onText) =>
  new Promise((resolve) => {
    const ws = new WebSocket(url, WS)
    onMessage(ws, onText === undefined ? undefined : (_, message) => onText(String(message)))
    ws.on('close', () => resolve())
  })

/** Lengths with more octets than they need; octets behind a block with BFINAL, thrown away; Pings, too many to be answered. */
const BOTH =
  '23.1.1 23.1.2 23.1.3 23.1.4 23.2.1 23.2.2 23.2.3 23.2.4 23.2.6 24.1.12 24.1.13 24.1.15 25.1.11 29.2.1 29.2.2 29.2.3'
/** Host missing and twice, HTTP/1.0, version 013, numbers in a form that they may not have. */
const SERVER = `20.1.1 20.1.12 20.1.13 20.3.5 20.7.11 20.7.12 20.7.13 20.7.14 20.7.15 20.7.20 ${BOTH}`
/** Numbers in a form that they may not have, and the extension twice. */
const CLIENT = `21.3.10 21.3.12 21.3.17 21.3.19 ${BOTH}`

describe.each([
  ['server', testWsServer, SERVER],
  ['client', (options: RunOptions): Promise<Report> => driveClient(wsClient, options), CLIENT],
] as const)('ws as a %s', (_, run, failing) => {
  let report: Report

  beforeAll(async () => {
    // Up to node:http are whether a body in front of the frames is one, which it is from Node 26 on, and what becomes of a field
    // without a name, which the first versions of 20 took.
    report = await run({ only: Object.keys(GROUPS), exclude: ['26', '28', '20.9.3', '20.10.1', '20.10.3'] })
  }, 120_000)

  it('fails in our own groups where it breaks a rule, and nowhere else', () => {
    const others = report.results.filter(({ verdict }) => verdict !== 'OK')
    expect(others.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(failing.split(' ').map((id) => `${id} FAILED`))
  })
})
