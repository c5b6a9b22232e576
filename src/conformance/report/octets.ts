/**
 * Octets and text from the wire as something to look at: in a terminal, in JSON, in HTML.
 *
 * `visible` is what keeps a peer from writing into the reader's terminal or turning the order of a line around: whatever has
 * no picture of its own is spelled out. HTML needs `escapeHtml` on top of it.
 */

/** Two digits for each octet, spaces between: `81 05 48`. */
export function spacedHex(octets: Buffer): string {
  let text = ''
  for (let at = 0; at < octets.length; at++) text += `${at === 0 ? '' : ' '}${hexOctet(octets[at])}`
  return text
}

/** Two digits. */
export function hexOctet(octet: number): string {
  return octet.toString(16).padStart(2, '0')
}

/** Ranges of code points without a picture: controls, marks of direction, separators, halves of pairs, tags. */
const INVISIBLE: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe0fff],
]

/** `text` on one line, at most `longest` characters of it, what cannot be seen as `\n`, `\u{202e}` and the like. */
export function visible(text: string, longest: number = Infinity): string {
  let shown = ''
  let count = 0
  for (const character of text) {
    if (count++ === longest) return `${shown}…`
    shown += visibleCharacter(character)
  }
  return shown
}

function visibleCharacter(character: string): string {
  if (character === '\n') return String.raw`\n`
  if (character === '\r') return String.raw`\r`
  if (character === '\t') return String.raw`\t`
  const code = character.codePointAt(0)!
  return INVISIBLE.some(([first, last]) => code >= first && code <= last) ? `\\u{${code.toString(16)}}` : character
}

const LONGEST_QUOTE = 60

/** The text in double quotes, fit for one line. */
export function quoted(text: string): string {
  return `"${visible(text, LONGEST_QUOTE)}"`
}

/** `1 octet`, `13 octets`. */
export function octetCount(count: number | bigint): string {
  return `${groupDigits(String(count))} octet${BigInt(count) === 1n ? '' : 's'}`
}

/** `16,777,216`; up to four digits stand as they are. */
export function groupDigits(digits: string): string {
  if (digits.length <= 4) return digits
  let grouped = ''
  for (let at = 0; at < digits.length; at++) {
    grouped += `${at > 0 && (digits.length - at) % 3 === 0 ? ',' : ''}${digits[at]}`
  }
  return grouped
}

/** Where UTF-8 goes wrong: the first octet of the bad sequence, and whether more octets could still make it good. */
export interface InvalidUtf8 {
  readonly at: number
  readonly cut: boolean
}

/** The first place where `octets` are not UTF-8 (RFC 3629 4), or `undefined`. */
export function findInvalidUtf8(octets: Buffer): InvalidUtf8 | undefined {
  let at = 0
  while (at < octets.length) {
    const first = octets[at]
    const following = followingOctets(first)
    if (following < 0) return { at, cut: false }
    for (let n = 1; n <= following; n++) {
      if (at + n === octets.length) return { at, cut: true }
      const [lowest, highest] = n === 1 ? secondOctets(first) : CONTINUATION
      if (octets[at + n] < lowest || octets[at + n] > highest) return { at, cut: false }
    }
    at += 1 + following
  }
  return undefined
}

const CONTINUATION = [0x80, 0xbf] as const

function followingOctets(first: number): number {
  if (first < 0x80) return 0
  if (first < 0xc2) return -1
  if (first < 0xe0) return 1
  if (first < 0xf0) return 2
  return first < 0xf5 ? 3 : -1
}

/** The second octet keeps out what is overlong, the surrogates, and what lies beyond U+10FFFF. */
function secondOctets(first: number): readonly [lowest: number, highest: number] {
  if (first === 0xe0) return [0xa0, 0xbf]
  if (first === 0xed) return [0x80, 0x9f]
  if (first === 0xf0) return [0x90, 0xbf]
  if (first === 0xf4) return [0x80, 0x8f]
  return CONTINUATION
}
