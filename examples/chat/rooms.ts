/**
 * Who is here, under which name, in which rooms, and what was said there lately. Pure state: it knows neither sockets nor
 * the protocol, and keeps for each member whatever `Line` the server uses to reach that person.
 *
 * - Names and rooms are the same when they look the same: `Ana`, `ana` and `ａｎａ` are one name.
 * - Everybody is in the lobby, so its people are all the people. Other rooms live as long as somebody is in them.
 * - Everything is bounded: rooms in all, rooms of one member, texts that a room remembers.
 */
import { timingSafeEqual } from 'node:crypto'
import { LIMITS, Refusal } from './protocol.ts'
import type { MessageEvent, RoomCount } from './protocol.ts'

const LOBBY = 'Lobby'
const MOST_ROOMS = 200
const MOST_ROOMS_OF_ONE = 20
const REMEMBERED_TEXTS = 50

export interface Member<Line> {
  readonly name: string
  readonly secret: string
  readonly line: Line
  readonly rooms: Set<Room<Line>>
}

export interface Room<Line> {
  readonly name: string
  /** What the server publishes under. */
  readonly topic: string
  readonly members: Set<Member<Line>>
  readonly history: MessageEvent[]
}

export class Rooms<Line> {
  readonly lobby: Room<Line> = createRoom(LOBBY)
  readonly #rooms = new Map<string, Room<Line>>([[keyOf(LOBBY), this.lobby]])
  readonly #members = new Map<string, Member<Line>>()

  /** The rooms, with how many people are in each. */
  list(): RoomCount[] {
    return Array.from(this.#rooms.values(), (room) => ({ room: room.name, people: room.members.size }))
  }

  /** Who has this name already, if they can prove with `secret` that they are the one who asks for it now. */
  findSame(name: string, secret: string): Member<Line> | undefined {
    const member = this.#members.get(keyOf(name))
    const same = member !== undefined && timingSafeEqual(Buffer.from(member.secret), Buffer.from(secret))
    return same ? member : undefined
  }

  /** Lets a person in under a name that nobody else has. They are in no room yet. */
  enter(name: string, secret: string, line: Line): Member<Line> {
    if (this.#members.has(keyOf(name))) {
      throw new Refusal('name-taken', `Somebody here is called “${name}” already.`, this.#suggest(name))
    }
    const member = { name, secret, line, rooms: new Set<Room<Line>>() }
    this.#members.set(keyOf(name), member)
    return member
  }

  /** Forgets a person. Answers with the rooms that they have left. */
  leave(member: Member<Line>): Array<Room<Line>> {
    this.#members.delete(keyOf(member.name))
    const rooms = [...member.rooms]
    for (const room of rooms) this.#remove(member, room)
    return rooms
  }

  findMember(name: string): Member<Line> {
    const member = this.#members.get(keyOf(name))
    if (member === undefined) throw new Refusal('not-here', `${name} is not here any more.`)
    return member
  }

  /** Joins a room, which is created when nobody is there. */
  join(member: Member<Line>, name: string): Room<Line> {
    const room = this.#rooms.get(keyOf(name)) ?? createRoom<Line>(name)
    if (!member.rooms.has(room) && member.rooms.size >= MOST_ROOMS_OF_ONE) {
      throw new Refusal('too-many', `You are in ${MOST_ROOMS_OF_ONE} rooms: leave one first.`)
    }
    if (!this.#rooms.has(keyOf(name)) && this.#rooms.size >= MOST_ROOMS) {
      throw new Refusal('too-many', 'There are too many rooms: join one that exists.')
    }
    this.#rooms.set(keyOf(name), room)
    room.members.add(member)
    member.rooms.add(room)
    return room
  }

  part(member: Member<Line>, name: string): Room<Line> {
    const room = this.findRoom(member, name)
    if (room === this.lobby) throw new Refusal('lobby', 'Everybody is in the lobby: it cannot be left.')
    this.#remove(member, room)
    return room
  }

  /** A room that this person is in. */
  findRoom(member: Member<Line>, name: string): Room<Line> {
    const room = this.#rooms.get(keyOf(name))
    if (room === undefined || !member.rooms.has(room)) throw new Refusal('not-there', `You are not in “${name}”.`)
    return room
  }

  /** Keeps a text for newcomers. False when the room has it already: a page that was cut off sends it again. */
  remember(room: Room<Line>, message: MessageEvent): boolean {
    if (room.history.some(({ id, from }) => id === message.id && from === message.from)) return false
    room.history.push(message)
    if (room.history.length > REMEMBERED_TEXTS) room.history.shift()
    return true
  }

  #remove(member: Member<Line>, room: Room<Line>): void {
    room.members.delete(member)
    member.rooms.delete(room)
    if (room.members.size === 0 && room !== this.lobby) this.#rooms.delete(keyOf(room.name))
  }

  #suggest(name: string): string {
    for (let number = 2; ; number++) {
      // Half of an emoji may be left at the end of a cut name.
      const start = name
        .slice(0, LIMITS.name - 5)
        .replace(/\p{Cs}$/u, '')
        .trim()
      const suggestion = `${start} ${number}`
      if (!this.#members.has(keyOf(suggestion))) return suggestion
    }
  }
}

function createRoom<Line>(name: string): Room<Line> {
  return { name, topic: `room ${keyOf(name)}`, members: new Set(), history: [] }
}

/** Without case, invisible joiners and the other spellings of a letter, so that nobody can pass for somebody else. */
function keyOf(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\p{Cf}\ufe00-\ufe0f]/gu, '')
    .toLowerCase()
}
