/** Messages for many connections, whose frames are what a test says. */
import { Burst } from '../../src/connection/burst.ts'
import { PreparedMessage } from '../../src/connection/prepared.ts'
import type { Frames } from '../../src/connection/prepared.ts'

class Encoded extends PreparedMessage {
  readonly #frames: Burst | Promise<Frames>

  constructor(frames: Frames | Promise<Frames>) {
    super('', undefined, Infinity)
    this.#frames = frames instanceof Promise ? frames : new Burst(frames)
  }

  override framesFor(): Burst | Promise<Frames> {
    return this.#frames
  }
}

/** A message with these frames, for whatever connection. */
export function encoded(frames: Frames | Promise<Frames>): PreparedMessage {
  return new Encoded(frames)
}
