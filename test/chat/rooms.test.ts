import { beforeEach, describe, expect, it } from 'vitest'
import { LIMITS, Refusal } from '../../examples/chat/protocol.ts'
import type { MessageEvent } from '../../examples/chat/protocol.ts'
import { Rooms } from '../../examples/chat/rooms.ts'
import type { Member } from '../../examples/chat/rooms.ts'

const SECRET = '0'.repeat(32)
const ANOTHER = '1'.repeat(32)

let rooms: Rooms<string>
let ana: Member<string>

beforeEach(() => {
  rooms = new Rooms()
  ana = rooms.enter('Ana', SECRET, 'line of Ana')
})

function refusalOf(act: () => unknown): Refusal {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('This was not refused.')
}

function text(id: string, from = 'Ana'): MessageEvent {
  return { type: 'message', id, from, room: 'Lobby', text: 'x', at: 0 }
}

describe('Rooms', () => {
  it.each(['Ana', 'ANA', 'ａｎａ', 'A\u200dna'])('lets nobody in as %j while Ana is here', (name) => {
    expect(refusalOf(() => rooms.enter(name, ANOTHER, '')).code).toBe('name-taken')
  })

  it('suggests a name that is free', () => {
    rooms.enter('Ana 2', ANOTHER, '')
    expect(refusalOf(() => rooms.enter('ana', ANOTHER, '')).suggestion).toBe('ana 3')
  })

  it.each(['a'.repeat(LIMITS.name), `${'a'.repeat(26)}👩‍👧`])('suggests a whole name within the limit for %j', (name) => {
    rooms.enter(name, ANOTHER, '')
    const { suggestion = '' } = refusalOf(() => rooms.enter(name, ANOTHER, ''))
    expect(suggestion.length).toBeLessThanOrEqual(LIMITS.name)
    expect(suggestion).not.toMatch(/\p{Cs}/u)
    expect(rooms.enter(suggestion, ANOTHER, '').name).toBe(suggestion)
  })

  it('knows who comes back by the secret', () => {
    expect(rooms.findSame('ana', SECRET)).toBe(ana)
    expect(rooms.findSame('Ana', ANOTHER)).toBeUndefined()
    expect(rooms.findSame('Ben', SECRET)).toBeUndefined()
  })

  it('gives a name to somebody else after its owner has left', () => {
    rooms.leave(ana)
    expect(rooms.enter('Ana', ANOTHER, 'line of another').line).toBe('line of another')
  })

  it('finds people whatever the case of their name, and says who is not here', () => {
    expect(rooms.findMember('aNA')).toBe(ana)
    expect(refusalOf(() => rooms.findMember('Ben')).message).toBe('Ben is not here any more.')
  })

  it('creates a room for who joins first and forgets it with who leaves last', () => {
    const ben = rooms.enter('Ben', ANOTHER, '')
    const hike = rooms.join(ana, 'Hike')
    expect(rooms.join(ben, 'hike')).toBe(hike)
    expect(rooms.list()).toEqual([
      { room: 'Lobby', people: 0 },
      { room: 'Hike', people: 2 },
    ])
    rooms.part(ana, 'HIKE')
    expect(rooms.leave(ben)).toEqual([hike])
    expect(rooms.list()).toEqual([{ room: 'Lobby', people: 0 }])
    expect(rooms.join(ana, 'Hike')).not.toBe(hike)
  })

  it('keeps the lobby, which cannot be left', () => {
    rooms.join(ana, 'Lobby')
    expect(refusalOf(() => rooms.part(ana, 'lobby')).code).toBe('lobby')
  })

  it('finds no room for who is not in it', () => {
    const ben = rooms.enter('Ben', ANOTHER, '')
    rooms.join(ana, 'Hike')
    for (const name of ['Hike', 'Nowhere']) expect(refusalOf(() => rooms.findRoom(ben, name)).code).toBe('not-there')
  })

  it('lets one person into 20 rooms at most', () => {
    for (let number = 0; number < 20; number++) rooms.join(ana, `Room ${number}`)
    expect(refusalOf(() => rooms.join(ana, 'One more')).code).toBe('too-many')
    expect(rooms.join(ana, 'Room 7').name).toBe('Room 7')
    expect(rooms.list()).toHaveLength(21)
  })

  it('has 200 rooms at most', () => {
    for (let number = 0; number < 199; number++) {
      const person =
        number % 20 === 0
          ? rooms.enter(`Person ${number}`, ANOTHER, '')
          : rooms.findMember(`Person ${number - (number % 20)}`)
      rooms.join(person, `Room ${number}`)
    }
    expect(refusalOf(() => rooms.join(ana, 'One more')).code).toBe('too-many')
    expect(rooms.join(ana, 'Room 7').name).toBe('Room 7')
  })

  it('remembers the last 50 texts of a room, each once', () => {
    for (let number = 0; number < 60; number++) expect(rooms.remember(rooms.lobby, text(`${number}`))).toBe(true)
    expect(rooms.lobby.history.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, index) => `${index + 10}`))
    expect(rooms.remember(rooms.lobby, text('30'))).toBe(false)
    expect(rooms.remember(rooms.lobby, text('30', 'Ben'))).toBe(true)
  })
})
