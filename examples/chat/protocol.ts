/**
 * What the page may say to the server, checked strictly, and what the server says to the page. Pure: strings and Buffers
 * in, values out, and a `Refusal` for whatever is not exactly as described here. README.md has the same as a table.
 *
 * - Text messages are JSON objects with a `type`; no member may be missing, of another type, too long or unknown.
 * - A picture is one binary message: the length of a JSON header (two bytes, big-endian), the header, the file's bytes.
 */

/** Lengths of names and texts in UTF-16 code units, as JavaScript and the page's `maxlength` count; the rest in bytes. */
export const LIMITS = {
  name: 32,
  room: 32,
  text: 4_000,
  command: 32 * 1024,
  header: 1024,
  picture: 4 * 1024 * 1024 - 4096,
  message: 4 * 1024 * 1024,
} as const

/** The request of one person that cannot be met: it is answered with an `error` event and harms nobody else. */
export class Refusal extends Error {
  readonly code: string
  readonly suggestion: string | undefined

  constructor(code: string, message: string, suggestion?: string) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.suggestion = suggestion
  }
}

/** One line of talk in a room. `id` is the sender's, so that the sender knows its own message when it comes back. */
export interface MessageEvent {
  type: 'message'
  id: string
  from: string
  room: string
  text: string
  /** Milliseconds since 1970, by the server's clock. */
  at: number
}

export interface RoomCount {
  room: string
  people: number
}

/** What the server says in text messages. */
export type ServerEvent =
  | { type: 'welcome'; name: string; limits: typeof LIMITS; rooms: RoomCount[] }
  | { type: 'room'; room: string; people: string[]; history: MessageEvent[] }
  | { type: 'joined' | 'left'; room: string; name: string; at: number }
  | { type: 'people'; room: string; people: number }
  | { type: 'parted'; room: string }
  | MessageEvent
  | { type: 'whisper'; id: string; from: string; to: string; text: string; at: number }
  | { type: 'announcement'; id: string; from: string; text: string; at: number }
  | { type: 'error'; code: string; text: string; id?: string; suggestion?: string }

type Reader<T> = (value: unknown) => T

/** Every command and its members, each with the function that checks it. `Command` below is this table as a type. */
const COMMANDS = {
  hello: { name: readName, secret: readSecret },
  join: { room: readRoom },
  leave: { room: readRoom },
  say: { id: readId, room: readRoom, text: readText },
  whisper: { id: readId, to: readName, text: readText },
  announce: { id: readId, text: readText },
} satisfies Record<string, Record<string, Reader<string>>>

const COMMANDS_BY_NAME: ReadonlyMap<unknown, Record<string, Reader<string>>> = new Map(Object.entries(COMMANDS))

type Commands = typeof COMMANDS
export type Command = {
  [Type in keyof Commands]: { type: Type } & { [Member in keyof Commands[Type]]: string }
}[keyof Commands]

/** Reads a text message. Throws a `Refusal` when it is not one of the commands, to the letter. */
export function parseCommand(text: string): Command {
  if (text.length > LIMITS.command) throw new Refusal('bad-message', 'This message is too long.')
  const { type, ...members } = parseObject(text)
  const readers = COMMANDS_BY_NAME.get(type)
  if (readers === undefined) throw new Refusal('bad-message', 'The server does not know this command.')
  return { type, ...readMembers(members, readers) } as Command
}

/** A picture for a room or, with `to`, for one person. */
export type PictureHeader = { id: string; alt: string } & ({ room: string; to?: never } | { to: string; room?: never })

/** Reads a binary message. `bytes` is a view of `message`; `mime` comes from the bytes, not from what the sender claims. */
export function parsePicture(message: Buffer): { header: PictureHeader; mime: string; bytes: Buffer } {
  const headerLength = message.length < 2 ? 0 : message.readUInt16BE(0)
  if (headerLength === 0 || headerLength > LIMITS.header || message.length < 2 + headerLength) {
    throw new Refusal('bad-message', 'This picture has no readable header.')
  }
  const members = parseObject(message.toString('utf8', 2, 2 + headerLength))
  const target: Record<string, Reader<string>> = Object.hasOwn(members, 'to') ? { to: readName } : { room: readRoom }
  const header = readMembers(members, { id: readId, alt: readAlt, ...target }) as PictureHeader
  const bytes = message.subarray(2 + headerLength)
  if (bytes.length > LIMITS.picture) throw new Refusal('too-large', 'This picture is larger than 4 MB.')
  const mime = pictureType(bytes)
  if (mime === undefined) throw new Refusal('not-a-picture', 'Only PNG, JPEG, GIF and WebP pictures can be sent.')
  return { header, mime, bytes }
}

/** The inverse, for what the server sends on: its header says in addition who sent the picture, when, and its type. */
export function encodePicture(header: object, bytes: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(2)
  length.writeUInt16BE(json.length)
  return Buffer.concat([length, json, bytes])
}

/** The MIME type by the file's first bytes, whatever its name says: an HTML file called cat.png is no picture. */
export function pictureType(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, 12)
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'image/gif'
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'image/webp'
  return undefined
}

/** The `id` of a message that was refused, if it has a proper one, so that the page can mark that message. */
export function idOf(text: string): string | undefined {
  try {
    return readId(parseObject(text)['id'])
  } catch {
    return undefined
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refusal('bad-message', 'A message must be JSON.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Refusal('bad-message', 'A message must be a JSON object.')
  }
  return value as Record<string, unknown>
}

function readMembers(
  members: Record<string, unknown>,
  readers: Record<string, Reader<string>>,
): Record<string, string> {
  const unknown = Object.keys(members).find((member) => !Object.hasOwn(readers, member))
  if (unknown !== undefined) throw new Refusal('bad-message', 'This message has a member that does not belong to it.')
  return Object.fromEntries(Object.entries(readers).map(([member, read]) => [member, read(members[member])]))
}

function readString(value: unknown, what: string, shortest: number, longest: number): string {
  if (typeof value !== 'string') throw new Refusal('bad-message', `${what} is missing.`)
  if (value.length < shortest) throw new Refusal('bad-message', `${what} is empty.`)
  if (value.length > longest) throw new Refusal('bad-message', `${what} is longer than ${longest} characters.`)
  return value
}

/** Control characters, lone surrogates, private use, and the marks that turn the direction of what follows. */
const UNFIT_FOR_A_LABEL = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u
/** A name of joiners and blanks alone would be invisible. */
const SEEN = /[\p{L}\p{N}\p{P}\p{S}]/u

function readLabel(value: unknown, what: string, longest: number): string {
  const label = readString(value, what, 0, 4 * longest)
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .trim()
  if (label === '') throw new Refusal('bad-name', `${what} is empty.`)
  if (label.length > longest) throw new Refusal('bad-name', `${what} is longer than ${longest} characters.`)
  if (UNFIT_FOR_A_LABEL.test(label) || !SEEN.test(label)) {
    throw new Refusal('bad-name', `${what} has characters that cannot be shown.`)
  }
  return label
}

function readName(value: unknown): string {
  return readLabel(value, 'The name', LIMITS.name)
}

function readRoom(value: unknown): string {
  return readLabel(value, 'The name of the room', LIMITS.room)
}

function readText(value: unknown): string {
  const text = readString(value, 'The text', 1, LIMITS.text)
  if (text.trim() === '') throw new Refusal('bad-message', 'The text is empty.')
  return text
}

/** What a picture shows, for those who cannot see it; may be empty. */
function readAlt(value: unknown): string {
  return readString(value, 'The description', 0, 120)
}

function readId(value: unknown): string {
  const id = readString(value, 'The id', 1, 32)
  if (!/^[\w-]+$/.test(id)) throw new Refusal('bad-message', 'The id may only have letters, digits, _ and -.')
  return id
}

/** What a page made up for itself, 128 random bits in hexadecimal: with it, it takes its name back after a cut. */
function readSecret(value: unknown): string {
  const secret = readString(value, 'The secret', 32, 32)
  if (!/^[0-9a-f]+$/.test(secret)) throw new Refusal('bad-message', 'The secret must be 32 hexadecimal digits.')
  return secret
}
