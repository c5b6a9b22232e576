/** A tester that has no connection: a test tells what comes, and sees what the case sends. */
import { PeerGone } from '../../src/conformance/index.ts'
import type { Case, Frame, PeerEvent, Role, Tester } from '../../src/conformance/index.ts'

export interface Script {
  readonly role?: Role
  readonly extensions?: string
  readonly peerHead?: string
  readonly maskingKeys?: readonly number[]
  /** What comes, one after the other; behind it the connection ends, with this reason where there is one. */
  readonly events?: readonly PeerEvent[]
  readonly reason?: string
}

/** Plays a case; answers the frames that it sent, and rejects as it does. */
export async function playFake(testCase: Case, script: Script, turn: number = 0): Promise<readonly Frame[]> {
  const { role = 'client', extensions = '', peerHead = '', maskingKeys = [], events = [], reason } = script
  const left = events.values()
  const sent: Frame[] = []
  const nothing = (): void => {}
  const tester: Tester = {
    role,
    turn,
    extensions,
    peerHead,
    maskingKeys,
    send: async (frames) => {
      sent.push(...[frames].flat())
    },
    write: async () => {},
    mark: async () => {},
    wait: async () => {},
    next: async () => {
      const { value, done } = left.next()
      if (done === true) throw new PeerGone('the end', reason)
      return value
    },
    hold: nothing,
    release: nothing,
    note: nothing,
  }
  const { play } = { ...testCase, ...testCase.at?.(turn) }
  await play?.(tester)
  return sent
}
