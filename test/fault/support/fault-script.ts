/**
 * What happens to the octets of a connection on their way, and where, in either direction. It is made of a seed, so that
 * whatever goes wrong once can be done again.
 */

/** Something that befalls one direction when `at` octets of it have passed. Times are milliseconds. */
export type Fault =
  /** Nothing more passes for so long; what comes meanwhile is read. */
  | { readonly at: number; readonly kind: 'delay'; readonly time: number }
  /** Nothing more is read for so long, so that the sender is held back. */
  | { readonly at: number; readonly kind: 'stall'; readonly time: number }
  /** The next octets pass in pieces of `size`. */
  | { readonly at: number; readonly kind: 'split'; readonly size: number; readonly pieces: number }
  /** The next octets pass together, or when nothing more came for a while. */
  | { readonly at: number; readonly kind: 'merge'; readonly octets: number }
  /** Nothing more is read, ever: the peer is in a black hole. */
  | { readonly at: number; readonly kind: 'silence' }
  /** The receiver sees a FIN; whatever else is sent is lost, while the other direction goes on. */
  | { readonly at: number; readonly kind: 'fin' }
  /** Both ends see the transport end. */
  | { readonly at: number; readonly kind: 'cut' }
  /** Both ends see a RST. */
  | { readonly at: number; readonly kind: 'reset' }

export interface Script {
  readonly toServer: readonly Fault[]
  readonly toClient: readonly Fault[]
}

/** Numbers that look random and are the same for the same seed (a xorshift with a multiplication, 32 bits of state). */
export class Dice {
  #state: number

  constructor(seed: number) {
    // Seeds beside each other shall not begin alike.
    this.#state = (Math.imul(seed ^ (seed >>> 16), 0x85_eb_ca_6b) ^ 0x9e_37_79_b9) >>> 0 || 1
    for (let i = 0; i < 4; i++) this.below(2)
  }

  /** A whole number from 0 up, below `limit`. */
  below(limit: number): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return Math.floor(((Math.imul(this.#state, 0x9e_37_79_b1) >>> 0) / 2 ** 32) * limit)
  }

  /** True one time in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]
  }
}

/** Those that a connection has to survive, and those that end it, in time. */
const HARMLESS = ['delay', 'stall', 'split', 'merge'] as const
const LETHAL = ['fin', 'cut', 'reset', 'silence'] as const

export function createScript(dice: Dice): Script {
  const lethal = dice.below(3) > 0
  const victim = dice.once(2)
  return {
    toServer: createFaults(dice, lethal && victim),
    toClient: createFaults(dice, lethal && !victim),
  }
}

/** Whether a script ends the connection, if the connection gets that far. */
export function isLethal({ toServer, toClient }: Script): boolean {
  return [...toServer, ...toClient].some(({ kind }) => LETHAL.some((each) => each === kind))
}

export function isSilent({ toServer, toClient }: Script): boolean {
  return [...toServer, ...toClient].some(({ kind }) => kind === 'silence')
}

function createFaults(dice: Dice, lethal: boolean): Fault[] {
  const faults = Array.from({ length: dice.below(5) }, () => harmless(dice, place(dice)))
  if (lethal) faults.push({ at: place(dice), kind: dice.pick(LETHAL) })
  return faults.toSorted((one, other) => one.at - other.at)
}

function harmless(dice: Dice, at: number): Fault {
  const kind = dice.pick(HARMLESS)
  if (kind === 'split') return { at, kind, size: dice.pick([1, 1, 2, 7, 1000]), pieces: 1 + dice.below(200) }
  if (kind === 'merge') return { at, kind, octets: dice.pick([2, 100, 1000, 100_000]) }
  return { at, kind, time: 1 + dice.below(20) }
}

/** In the opening handshake, in its first frames, or far behind them. */
function place(dice: Dice): number {
  return dice.below(dice.pick([250, 250, 600, 3000, 100_000]))
}
