/** The parts of the page that need no browser. */
import { describe, expect, it } from 'vitest'
import { drawLandscape } from '../../examples/chat/landscape.ts'
import { encodePicture, parsePicture } from '../../examples/chat/protocol.ts'

interface Message {
  id: string
  from?: string
  kind?: string
  text?: string
  at?: number
  delivery?: string
}
interface Place {
  messages: Message[]
}
interface Talk {
  me: string
  room(name: string): Place
  add(place: Place, message: Message): { outcome: string; dropped: Message[] }
  addPending(place: Place, message: Message): Message
  note(place: Place, text: string, undoes: string | undefined, at: number): { added?: Message; removed?: Message }
}

const page = new URL('../../examples/chat/public/', import.meta.url)
const { Talk } = (await import(new URL('talk.js', page).href)) as { Talk: new () => Talk }
const pictures = (await import(new URL('pictures.js', page).href)) as {
  encodePicture(header: object, bytes: Uint8Array): Uint8Array
  decodePicture(message: ArrayBuffer): { header: object; bytes: Uint8Array }
  readPicture(file: File, limit: number): Promise<{ bytes: Uint8Array; type: string }>
  describe(file: File): string
}

const PICTURE = drawLandscape(30, 20)

function talkOfAna(): { talk: Talk; lobby: Place } {
  const talk = new Talk()
  talk.me = 'Ana'
  return { talk, lobby: talk.room('Lobby') }
}

function sent(id: string, from = 'Ben'): Message {
  return { id, from, text: id, at: 5, delivery: 'sent' }
}

function idsOf(place: Place): string[] {
  return place.messages.map(({ id }) => id)
}

describe('Talk', () => {
  it('keeps pending messages at the end, in their order, until they come back', () => {
    const { talk, lobby } = talkOfAna()
    talk.addPending(lobby, { id: 'a1' })
    talk.addPending(lobby, { id: 'a2' })
    expect(talk.add(lobby, sent('b1')).outcome).toBe('added')
    expect(idsOf(lobby)).toEqual(['b1', 'a1', 'a2'])
    expect(talk.add(lobby, sent('a2', 'Ana')).outcome).toBe('confirmed')
    expect(idsOf(lobby)).toEqual(['b1', 'a2', 'a1'])
    expect(lobby.messages[1]).toMatchObject({ delivery: 'sent', at: 5 })
  })

  it('shows a message that comes twice once', () => {
    const { talk, lobby } = talkOfAna()
    talk.add(lobby, sent('b1'))
    expect(talk.add(lobby, sent('b1')).outcome).toBe('known')
    expect(talk.add(lobby, sent('b1', 'Chika')).outcome).toBe('added')
    expect(idsOf(lobby)).toEqual(['b1', 'b1'])
  })

  it('remembers 300 messages of a place', () => {
    const { talk, lobby } = talkOfAna()
    for (let number = 0; number < 300; number++) talk.add(lobby, sent(`${number}`))
    expect(idsOf({ messages: talk.add(lobby, sent('300')).dropped })).toEqual(['0'])
    expect(lobby.messages).toHaveLength(300)
  })

  it('takes a note away instead when who has left is back at once', () => {
    const { talk, lobby } = talkOfAna()
    const { added } = talk.note(lobby, 'Ben left', undefined, 1_000)
    expect(talk.note(lobby, 'Ben joined', 'Ben left', 2_000).removed).toBe(added)
    expect(lobby.messages).toEqual([])
    talk.note(lobby, 'Ben left', undefined, 1_000)
    talk.note(lobby, 'Ben joined', 'Ben left', 60_000)
    expect(lobby.messages.map(({ text }) => text)).toEqual(['Ben left', 'Ben joined'])
  })
})

describe('pictures.js', () => {
  it('writes what the server reads, and reads what the server writes', () => {
    const header = { id: '1', alt: 'Hügel', room: 'Lobby' }
    const message = pictures.encodePicture(header, PICTURE)
    const read = parsePicture(Buffer.from(message))
    expect(read.header).toEqual(header)
    expect(read.bytes.equals(PICTURE)).toBe(true)
    const answer = Uint8Array.from(encodePicture({ ...header, from: 'Ana' }, PICTURE)).buffer
    const decoded = pictures.decodePicture(answer)
    expect(decoded.header).toEqual({ ...header, from: 'Ana' })
    expect(PICTURE.equals(decoded.bytes)).toBe(true)
  })

  it('reads a picture as it is when it is small enough', async () => {
    const { bytes, type } = await pictures.readPicture(new File([PICTURE], 'hills.jpg'), PICTURE.length)
    expect(type).toBe('image/png')
    expect(PICTURE.equals(bytes)).toBe(true)
  })

  it('says politely what cannot be sent', async () => {
    await expect(pictures.readPicture(new File(['<svg/>'], 'a.png'), 1000)).rejects.toThrow(
      'Only PNG, JPEG, GIF and WebP',
    )
    const gif = new File(['GIF89a', new Uint8Array(3 * 1024 * 1024)], 'a.gif')
    await expect(pictures.readPicture(gif, 2 * 1024 * 1024)).rejects.toThrow(
      'This GIF has 3.0 MB: at most 2 MB can be sent.',
    )
  })

  it('describes a picture by its name, unless the name says nothing', () => {
    expect(pictures.describe(new File([], 'view_from-the-hut.final.png'))).toBe('view from the hut.final')
    expect(pictures.describe(new File([], 'image.png'))).toBe('')
  })
})
