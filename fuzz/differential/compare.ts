/** Two verdicts on one stream, and whether a rule says why they differ. */
import { isDeepStrictEqual } from 'node:util'
import { frameAt, structureOf } from './structure.ts'
import type { StreamFrame, Structure } from './structure.ts'
import type { Stream, Verdict } from './verdict.ts'

/** What rules look at. */
export class Case {
  readonly peer: string
  readonly stream: Stream
  readonly ours: Verdict
  readonly theirs: Verdict
  #structure: Structure | undefined = undefined

  constructor(peer: string, stream: Stream, ours: Verdict, theirs: Verdict) {
    this.peer = peer
    this.stream = stream
    this.ours = ours
    this.theirs = theirs
  }

  get structure(): Structure {
    this.#structure ??= structureOf(this.stream)
    return this.#structure
  }

  /** The frame in which our connection ended, if it did. */
  get ourFrame(): StreamFrame | undefined {
    return this.#frameOf(this.ours)
  }

  get theirFrame(): StreamFrame | undefined {
    return this.#frameOf(this.theirs)
  }

  /** Whether they say the same, and at the same place. */
  get same(): boolean {
    const { ours, theirs } = this
    return ours.end === theirs.end && isDeepStrictEqual(ours.events, theirs.events) && this.samePlace
  }

  /**
   * Whether both ended in the same frame and the same part of it. Within a header everybody has an order of its own, so that
   * all of it is one place.
   */
  get samePlace(): boolean {
    const { ours, theirs, ourFrame, theirFrame } = this
    if (ours.taken === theirs.taken || ours.end === 'open' || theirs.end === 'open') return true
    return ourFrame === theirFrame && partOf(ourFrame, ours.taken) === partOf(theirFrame, theirs.taken)
  }

  /** Whether theirs has told all that ours has, and then perhaps more. */
  get theyWentOn(): boolean {
    return isPrefix(this.ours.events, this.theirs.events)
  }

  /** The other way round. */
  get weWentOn(): boolean {
    return isPrefix(this.theirs.events, this.ours.events)
  }

  #frameOf({ end, taken }: Verdict): StreamFrame | undefined {
    return end === 'open' ? undefined : this.structure.frames[frameAt(this.structure, taken)]
  }
}

/** Which part of a frame so many octets end in: its header, its payload, or with its last octet. */
export function partOf(frame: StreamFrame | undefined, taken: number): 'header' | 'payload' | 'end' {
  if (frame === undefined || taken <= frame.payloadStart) return 'header'
  return taken < frame.end ? 'payload' : 'end'
}

function isPrefix(some: readonly string[], all: readonly string[]): boolean {
  return some.every((one, index) => one === all[index])
}

/** A difference that is known, and why it is none of our mistakes. */
export interface Rule {
  /** Unique, short, for reports. */
  readonly name: string
  /** Those that it is about. */
  readonly peers: readonly string[]
  /** Ours was meant so, or the peer does not keep to the RFC. */
  readonly whose: 'intended' | 'theirs'
  /** One sentence for the page: what they do, what we do, why. */
  readonly reason: string
  /** As narrow as it can be said; it is asked only where the verdicts differ. */
  explains(difference: Case): boolean
}

/** What became of all streams for one peer. */
export class Tally {
  streams = 0
  differences = 0
  readonly rules = new Map<string, number>()
  readonly findings: Case[] = []
  readonly #rules: readonly Rule[]

  constructor(peer: string, rules: readonly Rule[]) {
    this.#rules = rules.filter(({ peers }) => peers.includes(peer))
    for (const { name } of this.#rules) this.rules.set(name, 0)
  }

  /** Counts one; answers the rules that explain it, none for a finding, `undefined` where nothing differs. */
  count(difference: Case): readonly string[] | undefined {
    this.streams++
    if (difference.same) return undefined
    this.differences++
    const names = this.#rules.filter((rule) => rule.explains(difference)).map(({ name }) => name)
    for (const name of names) this.rules.set(name, (this.rules.get(name) ?? 0) + 1)
    if (names.length === 0) this.findings.push(difference)
    return names
  }
}
