/** Steps that cases of our own groups have in common, beside those of `build`. */
import { PeerGone, Unexpected } from '../case.ts'
import type { Case, CloseRule, Opening, Tester } from '../case.ts'
import { answerDeflate, offerDeflate } from '../deflate.ts'
import type { Frame } from '../wire.ts'
import { fails, fragments, frame, octets, wantEcho } from './build.ts'

export const HELLO: Buffer = octets('Hello')

/** No rule says how the connection ends, as long as a Close frame of the peer makes sense. */
export function anyEnd(): CloseRule {
  return { by: 'either', codes: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1013], clean: false }
}

/**
 * The peer has to fail the connection (RFC 6455 7.1.7) over something for which several codes make sense: it is broken
 * (1002), not of its type (1007), too much (1009), or not to be dealt with (1003, 1008, 1011).
 */
export const failsSomehow: CloseRule = fails(1002, 1003, 1007, 1008, 1009, 1011)

/** `waiting`, or the end of the connection, which is as good. */
export async function orGone(waiting: Promise<void>): Promise<void> {
  try {
    await waiting
  } catch (error) {
    if (!(error instanceof PeerGone)) throw error
  }
}

/** A message that shows that the connection works. */
export async function echo(tester: Tester): Promise<void> {
  await tester.send(frame.text(HELLO))
  await wantEcho(tester, 'text', HELLO)
}

/**
 * A second connection, for a case that may do the peer harm: once the first has been at work for a while, this one still
 * has to be opened, and to work.
 */
export function survives(
  harmful: Pick<Case, 'close' | 'play'>,
  milliseconds: number,
): Pick<Case, 'connections' | 'at'> {
  const survivor: Pick<Case, 'play'> = {
    play: async (tester) => {
      await tester.wait(milliseconds)
      await echo(tester)
    },
  }
  return { connections: 2, at: (turn) => (turn === 0 ? harmful : survivor) }
}

/** permessage-deflate with nothing asked of either side. */
export const plainDeflate: Opening = {
  offer: offerDeflate({}),
  answer: (offers) => answerDeflate(offers, [{}]),
}

/** RFC 7692 6.1: a message is cut once it is compressed, and RSV1 is set on its first frame. */
export function compressed(type: 'text' | 'binary', payload: Buffer, size: number = payload.length + 1): Frame[] {
  const [first, ...rest] = fragments(type, payload, size)
  return [{ ...first, rsv: 4 }, ...rest]
}

/** Fails unless `good`; `what` says what was expected. */
export function want(good: boolean, what: string): void {
  if (!good) throw new Unexpected(what)
}
