/** 9 Large messages, many fragments, small pieces and many messages; 10 fragments that a sender makes by itself. */
import type { Case, SendOptions } from '../case.ts'
import type { Frame } from '../wire.ts'
import { fragments, frame, repeat, wantEcho } from './build.ts'

const KiB = 1024
const MiB = 1024 * KiB
const SECOND = 1000

type Kind = 'text' | 'binary'

/** What messages are filled with: a pattern that is not the same at every power of two, and octets that are not UTF-8. */
const PATTERN = { text: 'BAsd7&jh23', binary: Buffer.from('00fe23faf0', 'hex') }
const OCTET = { text: '*', binary: Buffer.of(0xfe) }

/** One message, and its echo to the octet. */
function echo(
  id: string,
  title: string,
  type: Kind,
  payload: () => Buffer,
  seconds: number,
  {
    frames = (whole) => [frame[type](whole)],
    options = {},
  }: { frames?: (whole: Buffer) => Frame[]; options?: SendOptions } = {},
): Case {
  return {
    id,
    title: `${title}: comes back`,
    rule: 'RFC 6455 5.4, 5.6',
    timeout: seconds * SECOND,
    heavy: true,
    play: async (tester) => {
      const whole = payload()
      await tester.send(frames(whole), options)
      await wantEcho(tester, type, whole)
    },
  }
}

function size(octets: number): string {
  return octets >= MiB ? `${octets / MiB} MiB` : octets >= KiB ? `${octets / KiB} KiB` : `${octets} octets`
}

/** 9.1 and 9.2: sizes, and the seconds that they may take. */
const SIZES: Readonly<Record<Kind, readonly (readonly [octets: number, seconds: number])[]>> = {
  text: [
    [64 * KiB, 10],
    [256 * KiB, 10],
    [MiB, 100],
    [4 * MiB, 100],
    [8 * MiB, 100],
    [16 * MiB, 100],
  ],
  binary: [
    [64 * KiB, 10],
    [256 * KiB, 10],
    [MiB, 10],
    [4 * MiB, 10],
    [8 * MiB, 100],
    [16 * MiB, 100],
  ],
}

function large(section: string, type: Kind): Case[] {
  return SIZES[type].map(([octets, seconds], at) =>
    echo(
      `${section}.${at + 1}`,
      `A ${type} message of ${size(octets)}`,
      type,
      () => repeat(PATTERN[type], octets),
      seconds,
    ),
  )
}

/** 9.3 and 9.4: fragments of 64 octets to 4 MiB. */
const FRAGMENTS = [64, 256, KiB, 4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB]

function fragmented(section: string, type: Kind): Case[] {
  return FRAGMENTS.map((each, at) => {
    const id = `${section}.${at + 1}`
    const octet = id === '9.4.1' ? OCTET.binary : OCTET.text
    const whole = each === 4 * MiB
    const title = `A ${type} message of 4 MiB ${whole ? 'in one frame' : `in fragments of ${size(each)}`}`
    const cut = whole ? {} : { frames: (payload: Buffer): Frame[] => fragments(type, payload, each) }
    return echo(id, title, type, () => repeat(octet, 4 * MiB), 100, cut)
  })
}

/** 9.5 and 9.6: octets that go to TCP at a time. */
const CHOPS = [64, 128, 256, 512, 1024, 2048]

function chopped(section: string, type: Kind): Case[] {
  return CHOPS.map((chop, at) => {
    const title = `A ${type} message of 1 MiB, ${chop} octets at a time`
    return echo(`${section}.${at + 1}`, title, type, () => repeat(PATTERN[type], MiB), 1000, { options: { chop } })
  })
}

/** 9.7 and 9.8: lengths of messages, and the seconds that all of them may take. */
const LENGTHS: readonly (readonly [octets: number, seconds: number])[] = [
  [0, 60],
  [16, 60],
  [64, 60],
  [256, 120],
  [1024, 240],
  [4096, 480],
]
const MESSAGES = 1000

function lockStep(section: string, type: Kind): Case[] {
  return LENGTHS.map(([octets, seconds], at) => ({
    id: `${section}.${at + 1}`,
    title: `${MESSAGES} ${type} messages of ${octets} octets, each when the one before is back: all come back`,
    rule: 'RFC 6455 5.6',
    timeout: seconds * SECOND,
    heavy: true,
    play: async (tester) => {
      const payload = repeat(OCTET[type], octets)
      for (let i = 0; i < MESSAGES; i++) {
        await tester.send(frame[type](payload))
        await wantEcho(tester, type, payload)
      }
    },
  }))
}

/** 64 KiB in fragments of 1300 octets, the last of which has 536. */
const fragmentedBySize: Case = {
  ...echo('10.1.1', 'A text message of 64 KiB in fragments of 1300 octets', 'text', () => repeat('*', 64 * KiB), 10, {
    frames: (payload) => fragments('text', payload, 1300),
  }),
  heavy: false,
}

export const limits: readonly Case[] = [
  ...large('9.1', 'text'),
  ...large('9.2', 'binary'),
  ...fragmented('9.3', 'text'),
  ...fragmented('9.4', 'binary'),
  ...chopped('9.5', 'text'),
  ...chopped('9.6', 'binary'),
  ...lockStep('9.7', 'text'),
  ...lockStep('9.8', 'binary'),
  fragmentedBySize,
]
