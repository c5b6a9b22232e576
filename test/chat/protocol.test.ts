import {
  assert,
  constantFrom,
  dictionary,
  json,
  jsonValue,
  oneof,
  property,
  string,
  tuple,
  uint8Array,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawLandscape } from '../../examples/chat/landscape.ts'
import {
  encodePicture,
  idOf,
  LIMITS,
  parseCommand,
  parsePicture,
  pictureType,
  Refusal,
} from '../../examples/chat/protocol.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const PICTURE = drawLandscape(30, 20)

function command(members: object): ReturnType<typeof parseCommand> {
  return parseCommand(JSON.stringify(members))
}

function refusalOf(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'accepted'
}

describe('parseCommand', () => {
  it('reads each command', () => {
    const commands = [
      { type: 'hello', name: 'Ana', secret: SECRET },
      { type: 'join', room: 'Weekend hike' },
      { type: 'leave', room: 'Weekend hike' },
      { type: 'say', id: 'a-1', room: 'Lobby', text: 'two\nlines' },
      { type: 'whisper', id: 'a_2', to: 'Ben', text: 'psst' },
      { type: 'announce', id: 'a3', text: 'Dinner!' },
    ]
    for (const members of commands) expect(command(members)).toEqual(members)
  })

  it.each([
    ['text that is not JSON', 'hello'],
    ['an unfinished object', '{"type":"join"'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['no type', '{"room":"Lobby"}'],
    ['an unknown type', '{"type":"rename","name":"Ben"}'],
    ['a type that every object has', '{"type":"constructor"}'],
    ['a type that is no string', '{"type":["join"],"room":"Lobby"}'],
    ['a missing member', '{"type":"say","id":"1","room":"Lobby"}'],
    ['an unknown member', '{"type":"join","room":"Lobby","admin":true}'],
    ['__proto__ as a member', '{"type":"join","room":"Lobby","__proto__":{"admin":true}}'],
    ['a member of another type', '{"type":"join","room":7}'],
    ['an empty id', '{"type":"announce","id":"","text":"x"}'],
    ['an id with a blank', '{"type":"announce","id":"a b","text":"x"}'],
    ['an id of 33 characters', `{"type":"announce","id":"${'a'.repeat(33)}","text":"x"}`],
    ['a text of blanks', '{"type":"announce","id":"1","text":" \\n "}'],
    ['a secret that is too short', '{"type":"hello","name":"Ana","secret":"00"}'],
    ['a secret that is not hexadecimal', `{"type":"hello","name":"Ana","secret":"${'x'.repeat(32)}"}`],
  ])('refuses %s', (_what, text) => {
    expect(refusalOf(() => parseCommand(text))).toBe('bad-message')
  })

  it('refuses a text longer than the limit, and takes one of exactly that length', () => {
    const say = (text: string) => refusalOf(() => command({ type: 'announce', id: '1', text }))
    expect(say('x'.repeat(LIMITS.text))).toBe('accepted')
    expect(say('x'.repeat(LIMITS.text + 1))).toBe('bad-message')
  })

  it('refuses a message that is far too long without reading it', () => {
    expect(refusalOf(() => parseCommand(`{"type":${' '.repeat(LIMITS.command)}"join","room":"Lobby"}`))).toBe(
      'bad-message',
    )
  })

  it.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['a character that turns the direction of the text', 'ana\u202ecod.exe'],
    ['a control character', 'ana\u0007'],
    ['half of a surrogate pair', 'ana\ud83d'],
    ['joiners alone, which nobody sees', '\u200d\u200b'],
    ['more characters than the limit', 'a'.repeat(LIMITS.name + 1)],
  ])('refuses a name of %s', (_what, name) => {
    expect(refusalOf(() => command({ type: 'hello', name, secret: SECRET }))).toBe('bad-name')
  })

  it.each([
    ['  Ana   Maria ', 'Ana Maria'],
    ['Zoe\u0308', 'Zoë'],
    ['👩‍👩‍👧‍👦', '👩‍👩‍👧‍👦'],
    ['千佳', '千佳'],
    ['שלום', 'שלום'],
  ])('takes the name %j as %j', (name, expected) => {
    expect(command({ type: 'hello', name, secret: SECRET })).toEqual({ type: 'hello', name: expected, secret: SECRET })
  })

  it('answers whatever JSON it gets with a command or a Refusal', () => {
    const member = oneof(string(), jsonValue(), constantFrom('Lobby', SECRET))
    const name = constantFrom('type', 'id', 'room', 'to', 'text', 'name', 'secret', '__proto__')
    const type = constantFrom('hello', 'join', 'leave', 'say', 'whisper', 'announce')
    const messages = tuple(type, dictionary(name, member)).map(([value, members]) => ({ type: value, ...members }))
    assert(
      property(
        oneof(
          json(),
          messages.map((message) => JSON.stringify(message)),
        ),
        (text) => {
          expect(['accepted', 'bad-message', 'bad-name']).toContain(refusalOf(() => parseCommand(text)))
        },
      ),
    )
  })
})

describe('idOf', () => {
  it('finds the id of a message that is refused for another reason', () => {
    expect(idOf('{"type":"say","id":"abc","text":7}')).toBe('abc')
  })

  it.each(['', '[]', '{}', '{"id":7}', '{"id":"<b>"}'])('finds none in %j', (text) => {
    expect(idOf(text)).toBeUndefined()
  })
})

describe('parsePicture', () => {
  const header = { id: '1', alt: 'hills', room: 'Lobby' }

  it('reads what encodePicture has written, byte for byte', () => {
    const { header: read, mime, bytes } = parsePicture(encodePicture(header, PICTURE))
    expect(read).toEqual(header)
    expect(mime).toBe('image/png')
    expect(bytes.equals(PICTURE)).toBe(true)
  })

  it('reads a picture for one person', () => {
    const forBen = { id: '1', alt: '', to: 'Ben' }
    expect(parsePicture(encodePicture(forBen, PICTURE)).header).toEqual(forBen)
  })

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['one byte', Buffer.from([0])],
    ['an empty header', Buffer.from([0, 0, 1])],
    ['a header longer than the message', Buffer.from('\xff\xff{}', 'latin1')],
    ['a header longer than the limit', encodePicture({ ...header, alt: 'x'.repeat(LIMITS.header) }, PICTURE)],
    ['a header that is no JSON', Buffer.concat([Buffer.from([0, 2]), Buffer.from('{x'), PICTURE])],
    ['a header for nobody', encodePicture({ id: '1', alt: '' }, PICTURE)],
    ['a header for a room and a person', encodePicture({ ...header, to: 'Ben' }, PICTURE)],
    ['a header that claims a type', encodePicture({ ...header, mime: 'text/html' }, PICTURE)],
  ])('refuses %s', (_what, message) => {
    expect(refusalOf(() => parsePicture(message))).toBe('bad-message')
  })

  it.each([
    ['nothing', ''],
    ['a web page', '<!doctype html><script>alert(1)</script>'],
    ['a vector picture, which can have scripts', '<svg xmlns="http://www.w3.org/2000/svg"></svg>'],
    ['a sound in RIFF', 'RIFF\x00\x00\x00\x00WAVEfmt '],
    ['a picture behind something else', ` ${PICTURE.toString('latin1')}`],
  ])('refuses %s that calls itself a picture', (_what, bytes) => {
    expect(refusalOf(() => parsePicture(encodePicture(header, Buffer.from(bytes, 'latin1'))))).toBe('not-a-picture')
  })

  it('refuses a picture larger than the limit', () => {
    const bytes = Buffer.concat([PICTURE, Buffer.alloc(LIMITS.picture - PICTURE.length + 1)])
    expect(refusalOf(() => parsePicture(encodePicture(header, bytes)))).toBe('too-large')
    expect(refusalOf(() => parsePicture(encodePicture(header, bytes.subarray(1))))).toBe('not-a-picture')
    expect(refusalOf(() => parsePicture(encodePicture(header, bytes.subarray(0, -1))))).toBe('accepted')
  })

  it('answers whatever bytes it gets with a picture or a Refusal', () => {
    assert(
      property(uint8Array({ maxLength: 200 }), (bytes) => {
        expect(['bad-message', 'not-a-picture']).toContain(refusalOf(() => parsePicture(Buffer.from(bytes))))
      }),
    )
  })
})

describe('pictureType', () => {
  it.each([
    ['image/png', '\x89PNG\r\n\x1a\n'],
    ['image/jpeg', '\xff\xd8\xff\xe0'],
    ['image/gif', 'GIF87a'],
    ['image/gif', 'GIF89a'],
    ['image/webp', 'RIFF\x24\x00\x00\x00WEBPVP8 '],
  ])('knows %s by its first bytes', (mime, start) => {
    expect(pictureType(Buffer.from(start, 'latin1'))).toBe(mime)
  })
})
