/**
 * 6 UTF-8: text that is well-formed comes back, text that is not fails the connection with 1007 (RFC 6455 8.1), wherever
 * frames or TCP cut it.
 */
import type { Case } from '../case.ts'
import { encodeFrame } from '../wire.ts'
import type { Frame } from '../wire.ts'
import { event, fails, frame, hex, octets } from './build.ts'

/** Latin text with characters of two octets, a Greek word, and ASCII. */
const LATIN = octets('Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!')
const GREEK = octets('\u03ba\u1f79\u03c3\u03bc\u03b5')
const EDITED = octets('edited')
/** A surrogate, and a code point beyond the last one: neither is UTF-8. */
const SURROGATE = hex('ed a0 80')
const BEYOND = hex('f4 90 80 80')

const { text, continuation, more } = frame

/** Every octet in a frame of its own, and an empty one at the end. */
function octetWise(payload: Buffer): Frame[] {
  const frames = Array.from(payload, (_, at) => {
    const octet = payload.subarray(at, at + 1)
    return more(at === 0 ? text(octet) : continuation(octet))
  })
  return [...frames, continuation()]
}

function good(id: string, what: string, payload: Buffer, frames: readonly Frame[], timeout = 1000): Case {
  return {
    id,
    title: `${what}: comes back`,
    rule: 'RFC 6455 5.6, 8.1',
    timeout,
    play: (tester) => tester.send(frames),
    expect: { ok: [event.text(payload)] },
  }
}

function bad(id: string, what: string, frames: readonly Frame[], timeout = 1000): Case {
  return {
    id,
    title: `${what}: the connection fails`,
    rule: 'RFC 6455 8.1',
    timeout,
    play: (tester) => tester.send(frames),
    expect: { ok: [] },
    close: { ...fails(1007), sideMatters: true },
  }
}

/** Three parts with a pause behind the first and the second: in the second the text has become what no UTF-8 begins with. */
function inTime(id: string, what: string, parts: readonly Buffer[], inOneFrame: boolean): Case {
  const whole = Buffer.concat(parts)
  const [first, second, third] = parts
  return {
    ...bad(id, what, []),
    title: `${what}: the connection fails as soon as the second part is there`,
    timeout: 3000,
    play: async (tester) => {
      if (inOneFrame) {
        // The header says how long it will be; what follows is taken from the frame as it would be in one piece.
        const { header, pieces } = inPieces(tester.role === 'client', whole, parts)
        await tester.write(Buffer.concat([header, pieces[0]]))
        await tester.mark(1000)
        await tester.write(pieces[1])
        await tester.mark(1000)
        await tester.write(pieces[2])
        await tester.send(continuation())
      } else {
        await tester.send(more(text(first)))
        await tester.mark(1000)
        await tester.send(more(continuation(second)))
        await tester.mark(1000)
        await tester.send(continuation(third))
      }
    },
    expect: { ok: [event.pause], nonStrict: [event.pause, event.pause] },
  }
}

/** The octets of a text frame that more follow, cut where `parts` are. */
function inPieces(masked: boolean, whole: Buffer, parts: readonly Buffer[]): { header: Buffer; pieces: Buffer[] } {
  const octetsOfFrame = encodeFrame(more(text(whole)), masked ? 'client' : 'server')
  let at = octetsOfFrame.length - whole.length
  const header = octetsOfFrame.subarray(0, at)
  const pieces = parts.map((part) => {
    const piece = octetsOfFrame.subarray(at, at + part.length)
    at += part.length
    return piece
  })
  return { header, pieces }
}

const INVALID = Buffer.concat([GREEK, SURROGATE, EDITED])
/** Cut before the sequence that goes wrong, and inside it. */
const BETWEEN = [GREEK, BEYOND, EDITED]
const INSIDE = [
  Buffer.concat([GREEK, BEYOND.subarray(0, 1)]),
  BEYOND.subarray(1, 2),
  Buffer.concat([BEYOND.subarray(2), EDITED]),
]

/** One unfragmented text message each; those with an exclamation mark are not UTF-8. */
const SINGLE: readonly (readonly [section: string, what: string, texts: string])[] = [
  [
    '6.5',
    'Text with characters of one to four octets',
    `
      68656c6c6f24776f726c64 68656c6c6fc2a2776f726c64 68656c6c6fe282ac776f726c64 68656c6c6ff0a4ada2776f726c64
      cebae1bdb9cf83cebcceb5
    `,
  ],
  [
    '6.6',
    'The first octets of a Greek word, cut behind each of them',
    `
      !ce ceba !cebae1 !cebae1bd cebae1bdb9 !cebae1bdb9cf cebae1bdb9cf83 !cebae1bdb9cf83ce cebae1bdb9cf83cebc
      !cebae1bdb9cf83cebcce cebae1bdb9cf83cebcceb5
    `,
  ],
  ['6.7', 'The first code point that takes one, two, three and four octets', '00 c280 e0a080 f0908080'],
  ['6.8', 'The first sequence of five octets, and of six', '!f888808080 !fc8480808080'],
  ['6.9', 'The last code point that takes one, two, three and four octets', '7f dfbf efbfbf f48fbfbf'],
  ['6.10', 'The last sequence of four octets, of five and of six', '!f7bfbfbf !fbbfbfbfbf !fdbfbfbfbfbf'],
  ['6.11', 'Code points beside the surrogates, and at the end of Unicode', 'ed9fbf ee8080 efbfbd f48fbfbf !f4908080'],
  [
    '6.12',
    'Continuation octets without a start',
    `
      !80 !bf !80bf !80bf80 !80bf80bf !80bf80bf80 !80bf80bf80bf
      !808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbe
    `,
  ],
  [
    '6.13',
    'Start octets, each with a space behind it',
    `
      !c020c120c220c320c420c520c620c720c820c920ca20cb20cc20cd20ce20cf20d020d120d220d320d420d520d620d720d820d920da20db20dc20dd20de20
      !e020e120e220e320e420e520e620e720e820e920ea20eb20ec20ed20ee20 !f020f120f220f320f420f520f620 !f820f920fa20
      !fc20
    `,
  ],
  [
    '6.14',
    'Sequences that lack their last octet',
    '!c0 !e080 !f08080 !f8808080 !fc80808080 !df !efbf !f7bfbf !fbbfbfbf !fdbfbfbfbf',
  ],
  [
    '6.15',
    'Many sequences that lack their last octet',
    '!c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf',
  ],
  ['6.16', 'Octets fe and ff, which no UTF-8 has', '!fe !ff !fefeffff'],
  ['6.17', 'A slash in more octets than it takes', '!c0af !e080af !f08080af !f8808080af !fc80808080af'],
  [
    '6.18',
    'The last code point of each length, in one octet more than it takes',
    '!c1bf !e09fbf !f08fbfbf !f887bfbfbf !fc83bfbfbfbf',
  ],
  ['6.19', 'U+0000 in more octets than it takes', '!c080 !e08080 !f0808080 !f880808080 !fc8080808080'],
  ['6.20', 'One surrogate', '!eda080 !edadbf !edae80 !edafbf !edb080 !edbe80 !edbfbf'],
  [
    '6.21',
    'A pair of surrogates, each in three octets',
    `
      !eda080edb080 !eda080edbfbf !edadbfedb080 !edadbfedbfbf !edae80edb080 !edae80edbfbf !edafbfedb080
      !edafbfedbfbf
    `,
  ],
  [
    '6.22',
    'Code points that are no characters, but may be sent',
    `
      efbfbe efbfbf f09fbfbe f09fbfbf f0afbfbe f0afbfbf f0bfbfbe f0bfbfbf f18fbfbe f18fbfbf f19fbfbe f19fbfbf
      f1afbfbe f1afbfbf f1bfbfbe f1bfbfbf f28fbfbe f28fbfbf f29fbfbe f29fbfbf f2afbfbe f2afbfbf f2bfbfbe
      f2bfbfbf f38fbfbe f38fbfbf f39fbfbe f39fbfbf f3afbfbe f3afbfbf f3bfbfbe f3bfbfbf f48fbfbe f48fbfbf
    `,
  ],
  ['6.23', 'The specials at the end of the basic plane', 'efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf'],
]

/** 6.5.1 and so on. */
function singles([section, what, texts]: (typeof SINGLE)[number]): Case[] {
  const list = texts.trim().split(/\s+/)
  return list.map((digits, at) => {
    const id = `${section}.${at + 1}`
    const isGood = !digits.startsWith('!')
    const payload = hex(isGood ? digits : digits.slice(1))
    const title = `${what} (${payload.toString('hex')})`
    return isGood ? good(id, title, payload, [text(payload)], 500) : bad(id, title, [text(payload)], 500)
  })
}

export const utf8: readonly Case[] = [
  good('6.1.1', 'An empty text message', octets(), [text()]),
  good('6.1.2', 'A text message in three fragments, all of them empty', octets(), [
    more(text()),
    more(continuation()),
    continuation(),
  ]),
  good(
    '6.1.3',
    'A text message in three fragments, the first and the last of them empty',
    octets('in the middle of it.'),
    [more(text()), more(continuation('in the middle of it.')), continuation()],
  ),
  good('6.2.1', 'Text with characters of two octets', LATIN, [text(LATIN)]),
  good('6.2.2', 'Text with characters of two octets, in two fragments that are cut between characters', LATIN, [
    more(text(LATIN.subarray(0, 15))),
    continuation(LATIN.subarray(15)),
  ]),
  good('6.2.3', 'Text with characters of two octets, every octet in a frame of its own', LATIN, octetWise(LATIN)),
  good('6.2.4', 'A Greek word, every octet in a frame of its own', GREEK, octetWise(GREEK)),
  bad('6.3.1', 'Text with a surrogate in it', [text(INVALID)]),
  bad('6.3.2', 'Text with a surrogate in it, every octet in a frame of its own', octetWise(INVALID)),
  inTime('6.4.1', 'Text in three fragments, the second beyond Unicode', BETWEEN, false),
  inTime('6.4.2', 'Text in three fragments, cut inside a sequence that goes beyond Unicode', INSIDE, false),
  inTime('6.4.3', 'A text frame that arrives in three parts, the second beyond Unicode', BETWEEN, true),
  inTime(
    '6.4.4',
    'A text frame that arrives in three parts, cut inside a sequence that goes beyond Unicode',
    INSIDE,
    true,
  ),
  ...SINGLE.flatMap(singles),
]
