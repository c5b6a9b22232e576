/** The chat's server, as its clients see it; and the command that starts it. */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { connect } from 'fullduplex'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startChat } from '../../examples/chat/chat.ts'
import type { RunningChat } from '../../examples/chat/chat.ts'
import { drawLandscape } from '../../examples/chat/landscape.ts'
import { encodePicture, LIMITS } from '../../examples/chat/protocol.ts'
import type { ServerEvent } from '../../examples/chat/protocol.ts'

type EventOf<Type> = Extract<ServerEvent, { type: Type }>

interface Person {
  tell(command: object | string | Buffer): void
  /** The next event of this type; others are passed over. */
  hear<Type extends ServerEvent['type']>(type: Type): Promise<EventOf<Type>>
  hearPicture(): Promise<{ header: object; bytes: Buffer }>
  /** The close code. */
  ended(): Promise<number>
  leave(): Promise<unknown>
}

let chat: RunningChat

/** The handler that a client is to have for its close code to be known. */
function untilClose(): { ended: Promise<number>; close: (ws: unknown, info: { code: number }) => void } {
  let close = (_ws: unknown, _info: { code: number }): void => {}
  const ended = new Promise<number>((resolve) => {
    close = (_ws, { code }) => resolve(code)
  })
  return { ended, close }
}

beforeEach(async () => {
  chat = await startChat({ port: 0 })
})

afterEach(async () => {
  await chat.shutdown()
})

async function visit(): Promise<Person> {
  const { ended, close } = untilClose()
  const ws = await connect(`ws://127.0.0.1:${chat.port}/chat`, { close })
  const messages = ws[Symbol.asyncIterator]()
  async function next(): Promise<string | Buffer> {
    const { done, value } = await messages.next()
    if (done === true) throw new Error('The connection has ended.')
    return value
  }
  return {
    tell: (command) =>
      void ws.send(typeof command === 'string' || Buffer.isBuffer(command) ? command : JSON.stringify(command)),
    async hear<Type extends ServerEvent['type']>(type: Type): Promise<EventOf<Type>> {
      for (;;) {
        const message = await next()
        const event = typeof message === 'string' ? (JSON.parse(message) as ServerEvent) : undefined
        if (event?.type === type) return event as EventOf<Type>
      }
    },
    async hearPicture() {
      for (;;) {
        const message = await next()
        if (typeof message === 'string') continue
        const start = 2 + message.readUInt16BE()
        return { header: JSON.parse(message.toString('utf8', 2, start)) as object, bytes: message.subarray(start) }
      }
    },
    ended: () => ended,
    leave: () => ws.close(),
  }
}

async function enter(name: string, secret = '0'.repeat(32)): Promise<Person> {
  const person = await visit()
  person.tell({ type: 'hello', name, secret })
  await person.hear('room')
  return person
}

describe('startChat', () => {
  it('welcomes with the rooms and puts everybody into the lobby', async () => {
    await enter('Ana')
    const ben = await visit()
    ben.tell({ type: 'hello', name: 'Ben', secret: '1'.repeat(32) })
    expect(await ben.hear('welcome')).toMatchObject({
      name: 'Ben',
      rooms: [{ room: 'Lobby', people: 1 }],
      limits: LIMITS,
    })
    expect(await ben.hear('room')).toEqual({ type: 'room', room: 'Lobby', people: ['Ana', 'Ben'], history: [] })
  })

  it('refuses a name that is taken, suggests another, and lets in under that', async () => {
    await enter('Ana')
    const other = await visit()
    other.tell({ type: 'hello', name: 'ana', secret: '1'.repeat(32) })
    const { code, suggestion } = await other.hear('error')
    expect(code).toBe('name-taken')
    other.tell({ type: 'hello', name: suggestion, secret: '1'.repeat(32) })
    expect(await other.hear('welcome')).toMatchObject({ name: 'ana 2' })
  })

  it('gives a name back to who knows its secret, and ends the connection before with 4001', async () => {
    const before = await enter('Ana', 'a'.repeat(32))
    const after = await enter('Ana', 'a'.repeat(32))
    expect(await before.ended()).toBe(4001)
    after.tell({ type: 'say', id: '1', room: 'Lobby', text: 'still here' })
    expect(await after.hear('message')).toMatchObject({ from: 'Ana', text: 'still here' })
  })

  it('answers what it cannot understand with an error, and goes on for that person and all others', async () => {
    const ana = await enter('Ana')
    const ben = await enter('Ben')
    ben.tell('{"type":"say","id":"b1","text":7}')
    expect(await ben.hear('error')).toMatchObject({ code: 'bad-message', id: 'b1' })
    ben.tell(Buffer.from('no picture'))
    expect(await ben.hear('error')).toMatchObject({ code: 'bad-message' })
    ben.tell({ type: 'hello', name: 'Ben 2', secret: '1'.repeat(32) })
    expect(await ben.hear('error')).toMatchObject({ code: 'bad-message' })
    ben.tell({ type: 'say', id: 'b2', room: 'Lobby', text: 'better' })
    for (const person of [ana, ben]) expect(await person.hear('message')).toMatchObject({ id: 'b2', text: 'better' })
  })

  it('asks who does not say hello for a name', async () => {
    const nobody = await visit()
    nobody.tell({ type: 'say', id: '1', room: 'Lobby', text: 'boo' })
    expect(await nobody.hear('error')).toMatchObject({ code: 'no-name', id: '1' })
    nobody.tell(encodePicture({ id: '1', alt: '', room: 'Lobby' }, drawLandscape(3, 2)))
    expect(await nobody.hear('error')).toMatchObject({ code: 'no-name' })
  })

  it('tells a room only to those who are in it, and newcomers what was said before', async () => {
    const ana = await enter('Ana')
    const ben = await enter('Ben')
    ana.tell({ type: 'join', room: 'Hike' })
    expect(await ben.hear('people')).toEqual({ type: 'people', room: 'Hike', people: 1 })
    ana.tell({ type: 'say', id: 'a1', room: 'Hike', text: 'for the hikers' })
    await ana.hear('message')
    ben.tell({ type: 'say', id: 'b1', room: 'Hike', text: 'let me in' })
    expect(await ben.hear('error')).toMatchObject({ code: 'not-there', id: 'b1' })
    ben.tell({ type: 'join', room: 'hike' })
    expect(await ben.hear('room')).toMatchObject({ room: 'Hike', people: ['Ana', 'Ben'], history: [{ id: 'a1' }] })
    expect(await ana.hear('joined')).toMatchObject({ room: 'Hike', name: 'Ben' })
    ben.tell({ type: 'leave', room: 'Hike' })
    expect(await ben.hear('parted')).toEqual({ type: 'parted', room: 'Hike' })
    expect(await ana.hear('left')).toMatchObject({ room: 'Hike', name: 'Ben' })
    ana.tell({ type: 'say', id: 'a2', room: 'Hike', text: 'he is gone' })
    ana.tell({ type: 'announce', id: 'a3', text: 'hear me' })
    expect(await ben.hear('announcement')).toMatchObject({ id: 'a3', from: 'Ana' })
  })

  it('says a text that is sent again to its sender only', async () => {
    const ana = await enter('Ana')
    const ben = await enter('Ben')
    for (const id of ['a1', 'a1', 'a2']) ana.tell({ type: 'say', id, room: 'Lobby', text: id })
    for (const id of ['a1', 'a1', 'a2']) expect(await ana.hear('message')).toMatchObject({ id })
    for (const id of ['a1', 'a2']) expect(await ben.hear('message')).toMatchObject({ id })
  })

  it('whispers to one person and to the sender', async () => {
    const [ana, ben, chika] = await Promise.all([enter('Ana'), enter('Ben'), enter('Chika')])
    ana.tell({ type: 'whisper', id: 'a1', to: 'ben', text: 'psst' })
    for (const person of [ana, ben]) {
      expect(await person.hear('whisper')).toMatchObject({ from: 'Ana', to: 'Ben', text: 'psst' })
    }
    ana.tell({ type: 'whisper', id: 'a2', to: 'Chika', text: 'you too' })
    expect(await chika.hear('whisper')).toMatchObject({ id: 'a2' })
    ana.tell({ type: 'whisper', id: 'a3', to: 'Dora', text: 'hello?' })
    expect(await ana.hear('error')).toMatchObject({ code: 'not-here', id: 'a3' })
  })

  it('passes pictures on byte for byte, with sender, type and time', async () => {
    const [ana, ben, chika] = await Promise.all([enter('Ana'), enter('Ben'), enter('Chika')])
    const bytes = Buffer.concat([drawLandscape(600, 400), Buffer.alloc(200_000, 7)])
    ana.tell(encodePicture({ id: 'p1', alt: 'hills', room: 'Lobby' }, bytes))
    for (const person of [ana, ben, chika]) {
      const picture = await person.hearPicture()
      expect(picture.header).toMatchObject({ id: 'p1', from: 'Ana', room: 'Lobby', mime: 'image/png', alt: 'hills' })
      expect(picture.bytes.equals(bytes)).toBe(true)
    }
    ana.tell(encodePicture({ id: 'p2', alt: '', to: 'Ben' }, drawLandscape(3, 2)))
    ana.tell(encodePicture({ id: 'p3', alt: '', room: 'Lobby' }, drawLandscape(3, 2)))
    expect((await ben.hearPicture()).header).toMatchObject({ id: 'p2', to: 'Ben' })
    expect((await chika.hearPicture()).header).toMatchObject({ id: 'p3' })
  })

  it('ends a connection that sends more than 4 MiB at once with 1009', async () => {
    const ana = await enter('Ana')
    ana.tell(Buffer.alloc(LIMITS.message + 1))
    expect(await ana.ended()).toBe(1009)
    await enter('Ana', '1'.repeat(32))
  })

  it('tells who has left', async () => {
    const ana = await enter('Ana')
    const ben = await enter('Ben')
    await ben.leave()
    expect(await ana.hear('left')).toMatchObject({ room: 'Lobby', name: 'Ben' })
    expect(await ana.hear('people')).toEqual({ type: 'people', room: 'Lobby', people: 1 })
  })

  it('says 1001 when it shuts down, and frees its port', async () => {
    const ana = await enter('Ana')
    const { port } = chat
    await chat.shutdown()
    expect(await ana.ended()).toBe(1001)
    chat = await startChat({ port })
    expect(chat.port).toBe(port)
  })
})

describe('The files of the page', () => {
  it('come with a strict policy and their type', async () => {
    const response = await fetch(`http://127.0.0.1:${chat.port}/chat.js?x=1`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'; img-src 'self' blob: data:")
    expect(await response.text()).toContain('createLink')
  })

  it('are all that the page asks for', async () => {
    const html = await (await fetch(`http://127.0.0.1:${chat.port}/`)).text()
    const addresses = [...html.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, address]) => address)
    expect(addresses.length).toBeGreaterThan(3)
    for (const address of addresses) expect((await fetch(`http://127.0.0.1:${chat.port}${address}`)).status).toBe(200)
    expect(html).not.toMatch(/<style|style="|<script(?![^>]*src=)|\son\w+=/)
  })

  it.each([
    ['GET', '/server.ts', 404],
    ['GET', '/..%2fserver.ts', 404],
    ['GET', '/toString', 404],
    ['POST', '/', 405],
    ['HEAD', '/style.css', 200],
  ])('are all that there is: %s %s is answered %d', async (method, path, status) => {
    const response = await fetch(`http://127.0.0.1:${chat.port}${path}`, { method })
    expect(response.status).toBe(status)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'")
  })
})

describe('npm start', () => {
  const command = fileURLToPath(new URL('../../examples/chat/server.ts', import.meta.url))

  const children: ChildProcessWithoutNullStreams[] = []

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  function start(env: Record<string, string>): ChildProcessWithoutNullStreams {
    const child = spawn(process.execPath, ['--import', 'tsx', command], { env: { ...process.env, ...env } })
    child.stdout.setEncoding('utf8')
    child.stderr.setEncoding('utf8')
    children.push(child)
    return child
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('prints the address, and on %s says 1001 and ends', async (signal) => {
    const child = start({ PORT: '0' })
    const [line] = (await once(child.stdout, 'data')) as [string]
    const address = /^The chat is open: (http:\/\/localhost:(\d+)\/)\n$/.exec(line)
    expect((await fetch(address?.[1] ?? '')).status).toBe(200)
    const { ended, close } = untilClose()
    await connect(`ws://127.0.0.1:${address?.[2]}/chat`, {
      message() {},
      close,
    })
    child.kill(signal)
    expect(await ended).toBe(1001)
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('says in one sentence that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const child = start({ PORT: String(port) })
    const [words] = (await once(child.stderr, 'data')) as [string]
    expect(words).toBe(
      `Port ${port} is in use by another program: choose another one, for example PORT=${port + 1} npm start.\n`,
    )
    expect(await once(child, 'exit')).toEqual([1, null])
    other.close()
  })

  it('says in one sentence that PORT is no port', async () => {
    const child = start({ PORT: 'http' })
    const [words] = (await once(child.stderr, 'data')) as [string]
    expect(words).toBe('PORT must be a whole number from 0 to 65535.\n')
    expect(await once(child, 'exit')).toEqual([1, null])
  })
})
