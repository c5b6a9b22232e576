/** 22 Masking: a client masks every frame, with another key each time; a server masks none. */
import type { Case, Tester } from '../case.ts'
import type { Frame } from '../wire.ts'
import { fails, frame, hex, octets, sends, wantEcho } from './build.ts'
import { HELLO, want } from './steps.ts'

const KINDS: readonly (readonly [what: string, frame: Frame])[] = [
  ['A text', frame.text(HELLO)],
  ['A binary message', frame.binary(HELLO)],
  ['An empty text', frame.text()],
  ['A fragment of a text', frame.more(frame.text(HELLO))],
  ['A Ping', frame.ping(HELLO)],
  ['An empty Ping', frame.ping()],
  ['A Pong', frame.pong(HELLO)],
  ['A Close frame', frame.close(1000)],
  ['An empty Close frame', frame.close()],
]

/** The peer must close the connection; that it says 1002 is only an offer (RFC 6455 5.1). */
const CLOSES = fails(1002, 1003, 1008)

function unmasked(id: string, what: string, one: Frame): Case {
  return {
    id,
    title: `${what} without a mask: the server closes the connection`,
    rule: 'RFC 6455 5.1',
    peer: 'server',
    timeout: 1000,
    play: sends({ ...one, masked: false }),
    expect: { ok: [] },
    close: CLOSES,
  }
}

function masked(id: string, what: string, one: Frame): Case {
  return {
    ...unmasked(id, what, one),
    title: `${what} with a mask: the client closes the connection`,
    peer: 'client',
    play: sends({ ...one, masked: true }),
  }
}

function keyed(id: string, key: string): Case {
  const message = octets('Masked with a key of its own')
  return {
    id,
    title: `A text with the masking key ${key}: comes back`,
    rule: 'RFC 6455 5.3',
    peer: 'server',
    timeout: 1000,
    play: sends({ ...frame.text(message), maskingKey: hex(key) }),
    expect: { ok: [{ type: 'text', payload: message }] },
  }
}

/** A payload that arrives in pieces is unmasked with the key octet that belongs to its place. */
const piecemeal: Case = {
  id: '22.3.6',
  title: 'Texts of 1 to 9 octets, octet by octet: come back',
  rule: 'RFC 6455 5.3',
  timeout: 2000,
  async play(tester) {
    for (let length = 1; length <= 9; length++) {
      const message = octets('123456789').subarray(0, length)
      await tester.send(frame.text(message), { chop: 1 })
      await wantEcho(tester, 'text', message)
    }
  },
}

const ECHOES = 32

async function collectKeys(tester: Tester, one: Frame): Promise<void> {
  for (let i = 0; i < ECHOES; i++) {
    await tester.send(one)
    await tester.next()
  }
  const { length } = tester.maskingKeys
  const { size } = new Set(tester.maskingKeys)
  want(length === ECHOES, `expected ${ECHOES} masked frames, but there came ${length}`)
  // Two of them may be the same by chance, once in ten million runs.
  want(size >= ECHOES - 1, `expected another masking key for each of ${ECHOES} frames, but there were only ${size}`)
}

function fresh(id: string, what: string, one: Frame): Case {
  return {
    id,
    title: `${ECHOES} ${what}: each answer of the client is masked with another key`,
    rule: 'RFC 6455 5.3, 10.3',
    peer: 'client',
    timeout: 5000,
    play: (tester) => collectKeys(tester, one),
  }
}

export const masking: readonly Case[] = [
  ...KINDS.map(([what, one], i) => unmasked(`22.1.${i + 1}`, what, one)),
  {
    ...unmasked('22.1.10', '', frame.continuation(HELLO)),
    title: 'A masked fragment, and a continuation frame without a mask: the server closes the connection',
    play: sends(frame.more(frame.text(HELLO)), { ...frame.continuation(HELLO), masked: false }),
  },
  ...KINDS.map(([what, one], i) => masked(`22.2.${i + 1}`, what, one)),
  keyed('22.3.1', '00 00 00 00'),
  keyed('22.3.2', 'ff ff ff ff'),
  keyed('22.3.3', '00 00 00 01'),
  keyed('22.3.4', '80 00 00 00'),
  keyed('22.3.5', '4d 61 73 6b'),
  piecemeal,
  fresh('22.4.1', 'texts', frame.text(HELLO)),
  fresh('22.4.2', 'empty texts', frame.text()),
  fresh('22.4.3', 'Pings', frame.ping(HELLO)),
]
