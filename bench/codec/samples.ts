/** What the cases work on: texts, records and octets, always the same. */

const LETTERS = 'The quick brown fox jumps over the lazy dog. '
/** Two, three and four octets a character, with ASCII between them. */
const SCRIPTS = 'Zażółć gęślą jaźń, Ελληνικά, 日本語の文章, и русский 😀. '

/** ASCII of just so many octets. */
export function ascii(octets: number): Buffer {
  return Buffer.alloc(octets, LETTERS, 'latin1')
}

/** Text of many scripts of just so many octets; a character that would be cut makes room for ASCII. */
export function scripts(octets: number): Buffer {
  const bytes = Buffer.alloc(octets, SCRIPTS)
  let end = octets
  while (end > 0 && (bytes[end - 1] & 0x80) !== 0) end--
  return bytes.fill('.', end)
}

export function octetsOf(size: number): Buffer {
  return Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + (index >> 8)) & 0xff))
}

/** JSON of about 1 KiB such as services exchange, another for each `seed`. */
export function record(seed: number): Buffer {
  const items = Array.from({ length: 12 }, (_, index) => {
    const id = (seed * 7919 + index * 104_729) % 999_983
    return { id, state: id % 3 === 0 ? 'open' : 'closed', price: (id % 10_007) / 100, tags: ['a', 'b'].slice(id % 2) }
  })
  return Buffer.from(JSON.stringify({ type: 'update', seed, items }).padEnd(1024).slice(0, 1024))
}
