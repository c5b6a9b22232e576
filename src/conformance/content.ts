/**
 * What the messages of sections 12 and 13 are cut from: five contents of our own, as large and as compressible as the files
 * that people send. They are made, not stored: always the same, from words and a seed, when they are first asked for.
 */

/** `text` is sent as text and cut by characters, all of which are one UTF-16 unit; octets are sent as binary. */
export type Content = string | Buffer

/** Runs through a content again and again, window by window. */
export class Windows {
  readonly #content: Content
  #at = 0

  constructor(content: Content) {
    this.#content = content
  }

  /** The next `length` units as octets, beginning where the window before ended; `length` is at most that of the content. */
  next(length: number): Buffer {
    const content = this.#content
    const begin = this.#at
    const end = begin + length
    const over = Math.max(0, end - content.length)
    this.#at = end % content.length
    if (typeof content === 'string') return Buffer.from(content.slice(begin, end) + content.slice(0, over))
    if (over === 0) return content.subarray(begin, end)
    return Buffer.concat([content.subarray(begin), content.subarray(0, over)])
  }
}

/** `make`, once, when it is needed. */
function lazily<T>(make: () => T): () => T {
  let made: T | undefined = undefined
  return () => (made ??= make())
}

/** A small generator of whole numbers below a bound (xorshift by G. Marsaglia); good enough to look like data. */
type Dice = (sides: number) => number

function createDice(seed: number): Dice {
  let state = seed
  return (sides) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % sides
  }
}

function pick<T>(dice: Dice, list: readonly T[]): T {
  return list[dice(list.length)]
}

function noise(dice: Dice, length: number): Buffer {
  const octets = Buffer.alloc(length)
  for (let i = 0; i < length; i++) octets[i] = dice(256)
  return octets
}

const JSON_LENGTH = 194_000
const HTML_LENGTH = 264_000
const PROSE_LENGTH = 222_000
const PDF_LENGTH = 1_000_000

/** A log of requests in ASCII: 194 kB that compress to about 4 %. */
export const jsonContent: () => string = lazily(() => {
  const dice = createDice(1)
  const actions = ['created', 'updated', 'deleted', 'restored']
  const records: string[] = []
  let length = 0
  for (let id = 0; length < JSON_LENGTH; id++) {
    const record = JSON.stringify(
      {
        id,
        type: 'document',
        action: actions[dice(4) & dice(4)],
        owner: { name: 'A. Reader', address: 'reader@example.com', groups: ['staff', 'editors', 'readers'] },
        position: { page: dice(64), paragraph: dice(1000), line: dice(1000), column: dice(1000), visible: true },
        links: { self: 'https://example.com/documents', next: null, previous: null },
      },
      null,
      2,
    )
    records.push(record)
    length += record.length + 2
  }
  return `[${records.join(',\n')}]\n`.slice(0, JSON_LENGTH)
})

/** A photograph without compression, 512 by 512 pixels of one octet: 263 kB that compress to about 85 %. */
export const bitmapContent: () => Buffer = lazily(() => {
  const dice = createDice(2)
  const side = 512
  const palette = 1024
  const offset = 54 + palette
  const bitmap = Buffer.alloc(offset + side * side)
  bitmap.write('BM')
  bitmap.writeUInt32LE(bitmap.length, 2)
  bitmap.writeUInt32LE(offset, 10)
  bitmap.writeUInt32LE(40, 14)
  bitmap.writeInt32LE(side, 18)
  bitmap.writeInt32LE(side, 22)
  bitmap.writeUInt16LE(1, 26)
  bitmap.writeUInt16LE(8, 28)
  for (let i = 0; i < 256; i++) bitmap.fill(i, 54 + 4 * i, 57 + 4 * i)
  for (let i = 0; i < side * side; i++) {
    const light = 70 + Math.abs((((i % side) + (i >> 9)) % 200) - 100)
    bitmap[offset + i] = light + dice(18) + dice(18) + dice(18)
  }
  return bitmap
})

/** Sentences in lines of up to 72 characters: 222 kB that compress to about 39 %. */
export const proseContent: () => Buffer = lazily(() => {
  const dice = createDice(3)
  const words = vocabulary(dice)
  const lines: string[] = []
  let line = ''
  for (let length = 0, left = 0; length < PROSE_LENGTH; left--) {
    const begins = left <= 0
    if (begins) left = 4 + dice(22)
    // The lower of several throws: few words are used much, many are used little.
    const word = words[Math.min(dice(words.length), dice(words.length), dice(words.length), dice(words.length))]
    const written = begins ? word.charAt(0).toUpperCase() + word.slice(1) : word
    const mark = left === 1 ? pick(dice, ['.', '.', '.', '?', '!']) : dice(12) === 0 ? ',' : ''
    if (line.length + written.length > 70) {
      lines.push(line)
      length += line.length + 1
      line = ''
    }
    line += `${line === '' ? '' : ' '}${written}${mark}`
  }
  return Buffer.from(lines.join('\n'), 'latin1').subarray(0, PROSE_LENGTH)
})

/** Words that can be spoken. */
function vocabulary(dice: Dice): string[] {
  const begins = ['b', 'br', 'c', 'd', 'f', 'g', 'h', 'l', 'm', 'n', 'p', 'r', 's', 'st', 't', 'th', 'w', '']
  const vowels = ['a', 'e', 'e', 'i', 'o', 'ou', 'u', 'ea']
  const ends = ['', '', 'd', 'n', 'r', 's', 't', 'll', 'ng', 'st', 'nd']
  const words = new Set(['the', 'of', 'and', 'to', 'a', 'in', 'that', 'it', 'was', 'he', 'his', 'with', 'as', 'for'])
  while (words.size < 4000) {
    let word = ''
    for (let left = 1 + Math.min(dice(4), dice(4)); left > 0; left--) word += pick(dice, begins) + pick(dice, vowels)
    words.add(word + pick(dice, ends))
  }
  return [...words]
}

/** The table of contents of an archive, with 26 characters that are not ASCII: 264 kB that compress to about 5.5 %. */
export const htmlContent: () => string = lazily(() => {
  const dice = createDice(4)
  const words = vocabulary(dice)
  const rows: string[] = [
    '<!doctype html>\n<html lang="en">\n<head><title>Archive</title></head>\n<body>\n<table class="archive">\n',
  ]
  let length = rows[0].length
  for (let i = 0; length < HTML_LENGTH; i++) {
    const name = i % 32 === 7 && i < 26 * 32 ? 'caf\u00e9' : words[dice(1200)]
    const row =
      `  <tr class="entry ${i % 2 === 0 ? 'even' : 'odd'}" id="entry-${i}">\n` +
      `    <td class="name"><a class="link" href="/archive/documents/${i}.html" title="Open the document">${name}</a></td>\n` +
      `    <td class="size">${dice(1000)}</td>\n` +
      '    <td class="author"><a class="link" href="/people/reader.html" title="Who wrote it">A. Reader</a></td>\n' +
      '  </tr>\n'
    rows.push(row)
    length += row.length
  }
  return rows.join('').slice(0, HTML_LENGTH)
})

/** A document whose pictures are compressed and whose pages are not: 1 MB that compress to about 76 %. */
export const pdfContent: () => Buffer = lazily(() => {
  const dice = createDice(5)
  const prose = proseContent()
  const parts: Buffer[] = [Buffer.from('%PDF-1.4\n')]
  let length = parts[0].length
  for (let object = 1; length < PDF_LENGTH; object++) {
    const size = 4000 + dice(12_000)
    const isPicture = dice(100) < 57
    const begin = dice(prose.length - size)
    const body = isPicture ? noise(dice, size) : prose.subarray(begin, begin + size)
    const filter = isPicture ? ' /Filter /DCTDecode /Subtype /Image' : ''
    const head = Buffer.from(`${object} 0 obj\n<< /Length ${size}${filter} >>\nstream\n`)
    const part = Buffer.concat([head, body, Buffer.from('\nendstream\nendobj\n')])
    parts.push(part)
    length += part.length
  }
  return Buffer.concat(parts).subarray(0, PDF_LENGTH)
})
