/** 23 Payload lengths: the shortest form, the 63 bits, and lengths that nothing comes for (RFC 6455 5.2). */
import type { Case, Tester } from '../case.ts'
import { encodeFrame } from '../wire.ts'
import type { Frame } from '../wire.ts'
import { event, fails, frame, repeat, sends, wantEcho } from './build.ts'
import { HELLO, anyEnd, survives } from './steps.ts'

function tooLong(id: string, what: string, form: 2 | 8, one: Frame): Case {
  return {
    id,
    title: `${what} with its length in ${form} octets, more than needed: the connection fails`,
    rule: 'RFC 6455 5.2',
    timeout: 1000,
    play: sends({ ...one, lengthOctets: form }),
    expect: { ok: [] },
    close: fails(1002),
  }
}

const octetsOf = (size: number): Buffer => repeat('*', size)

const notMinimal: readonly Case[] = [
  tooLong('23.1.1', 'An empty text', 2, frame.text()),
  tooLong('23.1.2', 'A text of one octet', 2, frame.text('*')),
  tooLong('23.1.3', 'A text of 125 octets', 2, frame.text(octetsOf(125))),
  tooLong('23.1.4', 'A binary message of 125 octets', 2, frame.binary(octetsOf(125))),
  tooLong('23.1.5', 'A Ping of 5 octets', 2, frame.ping(HELLO)),
  tooLong('23.1.6', 'A Close frame', 2, frame.close(1000)),
  tooLong('23.2.1', 'An empty text', 8, frame.text()),
  tooLong('23.2.2', 'A text of 125 octets', 8, frame.text(octetsOf(125))),
  tooLong('23.2.3', 'A text of 126 octets', 8, frame.text(octetsOf(126))),
  tooLong('23.2.4', 'A binary message of 65535 octets', 8, frame.binary(octetsOf(65_535))),
  tooLong('23.2.5', 'A Ping of 5 octets', 8, frame.ping(HELLO)),
  {
    ...tooLong('23.2.6', 'A continuation frame of 5 octets', 8, frame.continuation(HELLO)),
    play: sends(frame.more(frame.text(HELLO)), { ...frame.continuation(HELLO), lengthOctets: 8 }),
  },
]

function topBit(id: string, what: string, declaredLength: bigint, one: Frame): Case {
  return {
    id,
    title: `${what} that says it has 0x${declaredLength.toString(16)} octets, whose first bit must be 0: the connection fails`,
    rule: 'RFC 6455 5.2',
    timeout: 1000,
    play: sends({ ...one, lengthOctets: 8, declaredLength }),
    expect: { ok: [] },
    // A peer that looks at its limits first finds it too large.
    close: fails(1002, 1009),
  }
}

const signed: readonly Case[] = [
  topBit('23.3.1', 'A text', 2n ** 63n, frame.text()),
  topBit('23.3.2', 'A text', 2n ** 63n + 5n, frame.text(HELLO)),
  topBit('23.3.3', 'A binary message', 2n ** 64n - 1n, frame.binary(HELLO)),
  topBit('23.3.4', 'A fragment', 2n ** 64n - 5n, frame.more(frame.binary(HELLO))),
]

/** The peer may refuse it or wait for it. */
function promised(id: string, declaredLength: bigint, one: Frame): Case {
  const play = async (tester: Tester): Promise<void> => {
    await tester.send({ ...one, lengthOctets: 8, declaredLength })
    await tester.wait(200)
  }
  return {
    id,
    title: `A frame that says it has ${declaredLength} octets, and few of them: refused or waited for, and the next connection works`,
    rule: 'RFC 6455 10.4',
    timeout: 5000,
    ...survives({ play, close: anyEnd() }, 400),
  }
}

const promises: readonly Case[] = [
  promised('23.4.1', 2n ** 63n - 1n, frame.binary(HELLO)),
  promised('23.4.2', 2n ** 62n, frame.text(HELLO)),
  promised('23.4.3', 2n ** 53n, frame.binary(HELLO)),
  promised('23.4.4', 2n ** 53n - 1n, frame.binary(HELLO)),
  promised('23.4.5', 2n ** 40n, frame.text(HELLO)),
  promised('23.4.6', 2n ** 32n + 5n, frame.binary(HELLO)),
  promised('23.4.7', 2n ** 32n, frame.binary()),
  promised('23.4.8', 2n ** 31n, frame.text(HELLO)),
  promised('23.4.9', 2n ** 31n - 1n, frame.more(frame.binary(HELLO))),
]

/** The header comes octet by octet, the payload at once. */
function slowHeader(id: string, type: 'text' | 'binary', size: number): Case {
  const payload = octetsOf(size)
  return {
    id,
    title: `A ${type} message of ${size} octets, the first 14 octets one by one: comes back`,
    rule: 'RFC 6455 5.2',
    timeout: 5000,
    async play(tester) {
      const whole = encodeFrame(frame[type](payload), tester.role)
      await tester.write(whole.subarray(0, 14), { chop: 1 })
      if (whole.length > 14) await tester.write(whole.subarray(14))
      await wantEcho(tester, type, payload)
    },
  }
}

const BOUNDS = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537]

const bounds: readonly Case[] = [
  ...BOUNDS.map((size, i) => slowHeader(`23.5.${i + 1}`, 'text', size)),
  ...BOUNDS.map((size, i) => slowHeader(`23.5.${BOUNDS.length + i + 1}`, 'binary', size)),
  {
    id: '23.5.17',
    title: 'Binary messages of all lengths from 0 to 300, back to back: come back in their order',
    rule: 'RFC 6455 5.2',
    timeout: 5000,
    play: sends(...Array.from({ length: 301 }, (_, size) => frame.binary(octetsOf(size)))),
    expect: { ok: Array.from({ length: 301 }, (_, size) => event.binary(octetsOf(size))) },
  },
]

export const lengths: readonly Case[] = [...notMinimal, ...signed, ...promises, ...bounds]
