/** Nanoseconds of a piece of work, by mitata: many calls between two looks at the clock, and the median of many such batches. */
import { measure } from 'mitata'

/** Nanoseconds of a batch: far more than a look at the clock costs, and short beside what else goes on in the machine. */
const BATCH = 500_000
/** mitata unrolls its loop by as many. */
const UNROLLED = 4

/** `milliseconds`: how long to measure, at least. */
export async function nanosecondsOf(run: () => unknown, milliseconds: number): Promise<number> {
  const count = Math.floor(BATCH / (await roughly(run, milliseconds / 4)) / UNROLLED) * UNROLLED
  const { p50 } = await measure(run, {
    gc: false,
    min_cpu_time: milliseconds * 1e6,
    min_samples: 5,
    batch_samples: Math.max(count, UNROLLED),
    // Whether there are batches is decided here, not by the time that a first call takes.
    batch_threshold: count > 0 ? Infinity : -1,
    warmup_threshold: Infinity,
  })
  return p50
}

/** Nanoseconds of a call once calls have been made for so long that it is compiled. */
async function roughly(run: () => unknown, milliseconds: number): Promise<number> {
  const start = performance.now()
  for (let calls = 1; ; calls *= 2) {
    const before = performance.now()
    for (let call = 0; call < calls; call++) {
      // Waiting for what is there already would be measured, too.
      const result = run()
      if (result instanceof Promise) await result
    }
    const now = performance.now()
    if (now - start > milliseconds) return ((now - before) * 1e6) / calls
  }
}
