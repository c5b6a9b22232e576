/**
 * Text: whether octets are valid UTF-8, and the string that they are. ws hands on octets, so its string is what its user
 * makes of them. The limit is node's own check, and its fastest way from such octets to a string, unchecked.
 */
import { isUtf8 } from 'node:buffer'
import { sizeName } from './case.ts'
import type { Case } from './case.ts'
import type { Ours, Ws } from './parts.ts'
import { ascii, scripts } from './samples.ts'

interface Sample {
  readonly name: string
  readonly bytes: Buffer
  readonly encoding: 'latin1' | 'utf8'
}

/** Octets of a piece: odd, so that pieces cut characters. */
const PIECE = 1021

export function textCases({ framing }: Ours, ws: Ws): Case[] {
  const samples: Sample[] = [
    ...[32, 125, 1024, 65_536].map((size) => sample(`ASCII, ${sizeName(size)}`, ascii(size), 'latin1')),
    ...[32, 1024, 65_536].map((size) => sample(`many scripts, ${sizeName(size)}`, scripts(size), 'utf8')),
  ]
  return [
    ...samples.map((one) => validationCase(framing, ws, one)),
    piecesCase(framing, ws),
    ...samples.map((one) => decodingCase(framing, ws, one)),
  ]
}

function sample(name: string, bytes: Buffer, encoding: Sample['encoding']): Sample {
  return { name, bytes, encoding }
}

function validationCase({ isValidUtf8 }: Ours['framing'], { isValidUTF8 }: Ws, { name, bytes }: Sample): Case {
  // One octet that no text has, last.
  const broken = Buffer.from(bytes).fill(0xff, bytes.length - 1)
  const both = (isValid: (octets: Buffer) => boolean) => () => [isValid(bytes), isValid(broken)]
  return {
    group: 'text',
    name: `check, ${name}`,
    expected: [true, false],
    ways: {
      fullduplex: { run: () => isValidUtf8(bytes), result: both(isValidUtf8) },
      ws: { run: () => isValidUTF8(bytes), result: both(isValidUTF8) },
      limit: { run: () => isUtf8(bytes), result: both(isUtf8) },
    },
  }
}

/** As text of many fragments comes; ws waits for all of it. */
function piecesCase({ Utf8Validator }: Ours['framing'], { isValidUTF8 }: Ws): Case {
  const bytes = scripts(65_536)
  const valid = (): boolean => {
    const validator = new Utf8Validator()
    for (let start = 0; start < bytes.length; start += PIECE) {
      if (!validator.push(bytes, start, Math.min(start + PIECE, bytes.length))) return false
    }
    return validator.complete
  }
  return {
    group: 'text',
    name: `check, many scripts, 64 KiB in pieces of ${PIECE} B`,
    expected: true,
    ways: {
      fullduplex: { run: valid, result: valid },
      ws: { run: () => isValidUTF8(bytes), result: () => isValidUTF8(bytes) },
      limit: { run: () => isUtf8(bytes), result: () => isUtf8(bytes) },
    },
  }
}

function decodingCase({ textOf }: Ours['framing'], { isValidUTF8 }: Ws, { name, bytes, encoding }: Sample): Case {
  const ours = (): unknown => textOf(bytes, 0, bytes.length)
  const theirs = (): unknown => isValidUTF8(bytes) && bytes.toString()
  const limit = (): unknown => bytes.toString(encoding)
  return {
    group: 'text',
    name: `check and decode, ${name}`,
    expected: new TextDecoder().decode(bytes),
    ways: {
      fullduplex: { run: ours, result: ours },
      ws: { run: theirs, result: theirs },
      limit: { run: limit, result: limit },
    },
  }
}
