/**
 * The chat: rooms, people, private messages, announcements and pictures over one `fullduplex` server, which shares its
 * port with the page's files.
 *
 * To one person, to a room, to all: `ws.send`, `chat.publish` to whoever has called `ws.subscribe`, `chat.broadcast`.
 * What goes to many is encoded once. Large pictures leave in fragments.
 */
import { createServer } from 'node:http'
import { serve } from 'fullduplex'
import type { ServerConnection } from 'fullduplex'
import { serveFiles } from './files.ts'
import { encodePicture, idOf, LIMITS, parseCommand, parsePicture, Refusal } from './protocol.ts'
import type { Command, ServerEvent } from './protocol.ts'
import { Rooms } from './rooms.ts'
import type { Member, Room } from './rooms.ts'

export interface ChatOptions {
  /** 0 takes any free port. */
  port?: number
  host?: string
}

export interface RunningChat {
  readonly port: number
  /** Says 1001 to everybody, waits for their goodbye, and frees the port. */
  shutdown(): Promise<void>
}

/** What the server knows about a connection: nothing, until it has said hello. */
interface Session {
  member?: Member<Line>
}
type Line = ServerConnection<Session>

/** Our own close code (RFC 6455 7.4.2: 4000 to 4999 are for applications): the page must not come back by itself. */
const OPENED_ELSEWHERE = 4001
const IN_FRAGMENTS = { fragmentSize: 16 * 1024 }

export async function startChat({ port = 8080, host = '127.0.0.1' }: ChatOptions = {}): Promise<RunningChat> {
  const rooms = new Rooms<Line>()
  const http = createServer((request, response) => void serveFiles(request, response))

  const chat = await serve<Session>({
    port,
    host,
    http,
    path: '/chat',
    maxMessageSize: LIMITS.message,
    upgrade: () => ({ data: {} }),
    message(ws, data) {
      const id = typeof data === 'string' ? idOf(data) : undefined
      try {
        if (typeof data === 'string') obey(ws, parseCommand(data))
        else passOn(ws, data)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const { code, message: text, suggestion } = error
        send(ws, { type: 'error', code, text, ...(id && { id }), ...(suggestion && { suggestion }) })
      }
    },
    close: (ws) => sayGoodbye(ws),
  })

  function obey(ws: Line, command: Command): void {
    if (command.type === 'hello') return welcome(ws, command.name, command.secret)
    const member = memberOf(ws)
    const at = Date.now()
    switch (command.type) {
      case 'join':
        return join(member, command.room)
      case 'leave': {
        const room = rooms.part(member, command.room)
        tellLeft(member, room)
        return send(ws, { type: 'parted', room: room.name })
      }
      case 'say': {
        const room = rooms.findRoom(member, command.room)
        const event = {
          type: 'message',
          id: command.id,
          from: member.name,
          room: room.name,
          text: command.text,
          at,
        } as const
        if (rooms.remember(room, event)) return publish(room, event)
        return send(ws, event)
      }
      case 'whisper': {
        const to = rooms.findMember(command.to)
        const event = {
          type: 'whisper',
          id: command.id,
          from: member.name,
          to: to.name,
          text: command.text,
          at,
        } as const
        for (const line of new Set([ws, to.line])) send(line, event)
        return
      }
      case 'announce': {
        const event = { type: 'announcement', id: command.id, from: member.name, text: command.text, at } as const
        return broadcast(event)
      }
    }
  }

  function passOn(ws: Line, message: Buffer): void {
    const member = memberOf(ws)
    const { header, mime, bytes } = parsePicture(message)
    const sent = { type: 'picture', id: header.id, from: member.name, alt: header.alt, mime, at: Date.now() }
    if (header.to === undefined) {
      const room = rooms.findRoom(member, header.room)
      chat.publish(room.topic, encodePicture({ ...sent, room: room.name }, bytes), IN_FRAGMENTS)
    } else {
      const to = rooms.findMember(header.to)
      const picture = encodePicture({ ...sent, to: to.name }, bytes)
      for (const line of new Set([ws, to.line])) line.send(picture, IN_FRAGMENTS)
    }
  }

  function welcome(ws: Line, name: string, secret: string): void {
    if (ws.data.member !== undefined) throw new Refusal('bad-message', 'You have said hello already.')
    // After a cut the page is often back before the server has noticed: the old connection makes room for the new one.
    const before = rooms.findSame(name, secret)
    if (before !== undefined) {
      sayGoodbye(before.line)
      void before.line.close(OPENED_ELSEWHERE, 'opened in another window')
    }
    const member = rooms.enter(name, secret, ws)
    ws.data.member = member
    send(ws, { type: 'welcome', name, limits: LIMITS, rooms: rooms.list() })
    join(member, rooms.lobby.name)
  }

  function join(member: Member<Line>, name: string): void {
    const before = member.rooms.size
    const room = rooms.join(member, name)
    const people = Array.from(room.members, ({ name: each }) => each)
    if (member.rooms.size > before) {
      publish(room, { type: 'joined', room: room.name, name: member.name, at: Date.now() })
      broadcast({ type: 'people', room: room.name, people: people.length })
      member.line.subscribe(room.topic)
    }
    send(member.line, { type: 'room', room: room.name, people, history: room.history })
  }

  function sayGoodbye(ws: Line): void {
    const { member } = ws.data
    if (member === undefined) return
    delete ws.data.member
    for (const room of rooms.leave(member)) tellLeft(member, room)
  }

  function tellLeft(member: Member<Line>, room: Room<Line>): void {
    member.line.unsubscribe(room.topic)
    publish(room, { type: 'left', room: room.name, name: member.name, at: Date.now() })
    broadcast({ type: 'people', room: room.name, people: room.members.size })
  }

  function publish(room: Room<Line>, event: ServerEvent): void {
    chat.publish(room.topic, JSON.stringify(event))
  }

  function broadcast(event: ServerEvent): void {
    chat.broadcast(JSON.stringify(event))
  }

  return {
    port: chat.port ?? port,
    shutdown: () => chat.shutdown({ code: 1001, timeout: 5_000 }),
  }
}

function send(ws: Line, event: ServerEvent): void {
  ws.send(JSON.stringify(event))
}

function memberOf(ws: Line): Member<Line> {
  if (ws.data.member === undefined) throw new Refusal('no-name', 'Say hello first: who are you?')
  return ws.data.member
}
