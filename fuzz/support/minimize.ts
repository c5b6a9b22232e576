/** Makes an input smaller while it still shows what it showed. */
import type { Input } from '../targets/target.ts'

/** Inputs tried at most, so that it ends within seconds. */
const MAX_ATTEMPTS = 2000

/**
 * The smallest input that was found for which `fails` still answers true: pieces are taken out, ever smaller ones, and
 * octets are made zero.
 */
export async function minimize(input: Input, fails: (input: Input) => Promise<boolean>): Promise<Input> {
  let best = input.octets
  const budget = { left: MAX_ATTEMPTS }
  const attempt = async (octets: Buffer): Promise<boolean> => {
    if (budget.left-- <= 0 || !(await fails({ ...input, octets }))) return false
    best = octets
    return true
  }
  for (let size = best.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && budget.left > 0;) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      if (!(await attempt(without))) at += size
    }
  }
  for (let at = 0; at < best.length && budget.left > 0; at++) {
    if (best[at] === 0) continue
    const zeroed = Buffer.from(best)
    zeroed[at] = 0
    await attempt(zeroed)
  }
  return { ...input, octets: best }
}
