/**
 * 27 What the peer starts: closing handshakes and Pings. It is told to by a text message, `fullduplex close CODE REASON` or
 * `fullduplex ping PAYLOAD`; one that sends that back instead does not know the words, which is no fault.
 */
import type { Case, Tester } from '../case.ts'
import { PeerGone, Unexpected, Unimplemented } from '../case.ts'
import { quote } from '../../errors.ts'
import { frame, octets, repeat, wantEcho } from './build.ts'
import { HELLO, want } from './steps.ts'

const UNKNOWN = 'the peer does not know the command'

/** Waits for the end; throws when the peer took the command for a message. Answers the reason in its Close frame. */
async function wantEnd(tester: Tester, command: string): Promise<string | undefined> {
  try {
    const event = await tester.next()
    if (event.type === 'text' && event.payload.equals(octets(command))) throw new Unimplemented(UNKNOWN)
  } catch (error) {
    if (error instanceof PeerGone) return error.reason
    throw error
  }
  throw new Unexpected('expected a Close frame, but something else came')
}

/** Without a code in the command the peer may choose one, and have none. */
function closes(id: string, code: number | undefined, reason: string = ''): Case {
  const command = ['fullduplex close', code, reason].filter((word) => word !== undefined && word !== '').join(' ')
  const what = code === undefined ? 'without a code' : `with ${code}`
  const why = reason === '' ? '' : ` and a reason of ${octets(reason).length} octets`
  return {
    id,
    title: `The peer closes ${what}${why}: its Close frame comes first, and once it is answered the connection ends`,
    rule: 'RFC 6455 7.1.1, 7.1.2',
    timeout: 2000,
    async play(tester) {
      await tester.send(frame.text(command))
      const told = await wantEnd(tester, command)
      const good = told === undefined || reason === '' || told === reason
      want(good, `expected the reason ${quote(reason)}, but it is ${quote(String(told))}`)
    },
    close: { by: 'peer', codes: code === undefined ? [1000, 1001] : [code], clean: true, codeMatters: true },
  }
}

/** Both Close frames cross on their way; no second one is sent (RFC 6455 5.5.1). */
function crosses(id: string, code: number): Case {
  const command = `fullduplex close ${code}`
  return {
    id,
    title: `The peer closes with ${code} while a Close frame with 1000 is on its way: the connection ends`,
    rule: 'RFC 6455 5.5.1, 7.1.1',
    timeout: 2000,
    async play(tester) {
      await tester.send([frame.text(command), frame.close(1000)])
      await wantEnd(tester, command)
    },
    close: { by: 'tester', codes: [1000, code], clean: true },
  }
}

/** What comes behind the peer's Close frame may be read or not, but nothing may be sent any more. */
const messagesBehind: Case = {
  ...closes('27.3.1', 1000),
  title: 'The peer closes while ten messages are on their way: no message comes behind its Close frame',
  rule: 'RFC 6455 5.5.1',
  async play(tester) {
    const command = 'fullduplex close 1000'
    await tester.send([frame.text(command), ...Array.from({ length: 10 }, () => frame.text(HELLO))])
    await wantEnd(tester, command)
  },
}

function pings(id: string, payload: string): Case {
  const command = `fullduplex ping ${payload}`
  return {
    id,
    title: `The peer sends a Ping with ${payload.length} octets: it comes as it should, and its Pong does no harm`,
    rule: 'RFC 6455 5.5.2, 5.5.3',
    timeout: 2000,
    pings: true,
    async play(tester) {
      await tester.send(frame.text(command))
      const event = await tester.next()
      if (event.type === 'text') throw new Unimplemented(UNKNOWN)
      const good = event.type === 'ping' && event.payload.equals(octets(payload))
      want(good, `expected a Ping with ${quote(payload)}, but something else came`)
      await tester.send(frame.text(HELLO))
      await wantEcho(tester, 'text', HELLO)
    },
  }
}

export const commands: readonly Case[] = [
  closes('27.1.1', undefined),
  closes('27.1.2', 1000),
  closes('27.1.3', 1000, 'done'),
  closes('27.1.4', 1001, 'going away'),
  closes('27.1.5', 1000, 'Grüße, κόσμε'),
  closes('27.1.6', 1000, repeat('*', 123).toString()),
  closes('27.1.7', 3000),
  closes('27.1.8', 3999, 'registered'),
  closes('27.1.9', 4000, 'private'),
  closes('27.1.10', 4999),
  crosses('27.2.1', 1000),
  crosses('27.2.2', 4000),
  messagesBehind,
  pings('27.4.1', 'are you there?'),
  pings('27.4.2', repeat('*', 125).toString()),
]
