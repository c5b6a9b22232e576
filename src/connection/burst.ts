/** The frames of messages that go to many connections: what several of them are to send together is put together once. */

/** Octets up to which frames are put together; to copy more costs more than further writes. */
const JOIN_UP_TO = 16_384

export class Burst {
  /** Octets in all. */
  readonly size: number
  readonly #frames: readonly Buffer[]
  readonly #before: Burst | undefined
  #joined: readonly Buffer[] | undefined = undefined
  /** What came of the last `followedBy`: all connections of a broadcast ask for the same. */
  #follower: Burst | undefined = undefined
  #longer: Burst | undefined = undefined

  /** `frames` of one message, behind those of `before`. */
  constructor(frames: readonly Buffer[], before?: Burst) {
    let size = before === undefined ? 0 : before.size
    for (const frame of frames) size += frame.length
    this.size = size
    this.#frames = frames
    this.#before = before
  }

  /** The octets, in order: as the frames are, or in one piece if there are several messages. */
  get chunks(): readonly Buffer[] {
    if (this.#before === undefined) return this.#frames
    this.#joined ??= [this.#join()]
    return this.#joined
  }

  /** This and the frames of `other` behind it; `undefined` when that is too much to put together. */
  followedBy(other: Burst): Burst | undefined {
    if (this.#follower === other) return this.#longer
    if (this.size + other.size > JOIN_UP_TO) return undefined
    this.#follower = other
    this.#longer = new Burst(other.#frames, this)
    return this.#longer
  }

  #join(): Buffer {
    const bytes = Buffer.allocUnsafe(this.size)
    for (let burst: Burst | undefined = this; burst !== undefined; burst = burst.#before) {
      let at = burst.#before === undefined ? 0 : burst.#before.size
      for (const frame of burst.#frames) at += frame.copy(bytes, at)
    }
    return bytes
  }
}
