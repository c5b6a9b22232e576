/**
 * The wire log of one connection: its beginning and its end, and the first octets of each entry, so that it stays small
 * however long the case is and whatever the peer sends.
 */
import type { LogEntry } from './result.ts'

/** Entries that are kept from the beginning and from the end. */
const FIRST = 40
const LAST = 20
/** Octets that are kept of an entry; of a head, which has to be read to be understood, more. */
const EXCERPT = 256
const HEAD_EXCERPT = 2048

export class WireLog {
  readonly #began: number = performance.now()
  readonly #first: LogEntry[] = []
  #last: LogEntry[] = []
  #left = 0

  /** Milliseconds since the connection began. */
  get elapsed(): number {
    return performance.now() - this.#began
  }

  /** `octets` may be fewer than all that went over the wire; `length` is how many those were. */
  add(from: LogEntry['from'], kind: 'head' | 'frame' | 'octets', octets: Buffer, length: number = octets.length): void {
    const excerpt = Buffer.from(octets.subarray(0, kind === 'head' ? HEAD_EXCERPT : EXCERPT))
    this.#push({ at: this.elapsed, from, kind, octets: excerpt, length })
  }

  tell(from: LogEntry['from'], kind: 'end' | 'note', text: string): void {
    this.#push({ at: this.elapsed, from, kind, octets: Buffer.alloc(0), length: 0, text })
  }

  get entries(): readonly LogEntry[] {
    const last = this.#last.slice(-LAST)
    const left = this.#left + this.#last.length - last.length
    if (left === 0) return [...this.#first, ...last]
    const text = `${left} entries are left out here`
    const gap: LogEntry = { at: last[0].at, from: 'tester', kind: 'note', octets: Buffer.alloc(0), length: 0, text }
    return [...this.#first, gap, ...last]
  }

  #push(entry: LogEntry): void {
    if (this.#first.length < FIRST) this.#first.push(entry)
    else this.#last.push(entry)
    // Not one by one, which would move the rest each time.
    if (this.#last.length < 100 * LAST) return
    this.#left += this.#last.length - LAST
    this.#last = this.#last.slice(-LAST)
  }
}
