/**
 * Our client and our servers, over TCP and TLS, through a proxy that does to their octets what networks do (goal G12): what
 * passes is delayed, cut in pieces, put together, held up, and ended or lost anywhere, in either direction.
 *
 * Every script is made of a seed, which is told when anything is wrong with it:
 *
 *     FULLDUPLEX_FAULT_SEED=123 npx vitest run test/fault/fault-scripts.test.ts         plays that one again
 *     FULLDUPLEX_FAULT_SCRIPTS=100000 npx vitest run test/fault/fault-scripts.test.ts   plays so many others
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { FaultStage } from './support/fault-run.ts'
import type { Failure } from './support/fault-run.ts'
import { Dice, createScript } from './support/fault-script.ts'
import { sizes } from './support/fault-sizes.ts'

const AT_ONCE = 24
/** Enough to see what they have in common. */
const MOST_FAILURES = 5
const SECOND = 1000

/** Sockets, listeners and the like that this process has. */
function handles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(?:TCP|TLS|Pipe(?!Wrap)|GetAddrInfo)/.test(name))
}

function describeFailure({ seed, script, problems }: Failure): string {
  return `seed ${seed}\n  ${problems.join('\n  ')}\n  ${JSON.stringify(script)}`
}

describe('A client and a server with faults between them', () => {
  const timeout = 60 * SECOND + sizes.scripts * 50
  it(`are sound in ${sizes.scripts} scripts from seed ${sizes.seed} on`, { timeout }, async () => {
    const before = handles()
    const stage = new FaultStage(await createAuthority())
    onTestFinished(() => stage.close())
    await stage.open()
    const failures: Failure[] = []
    let next = sizes.seed
    const end = next + sizes.scripts
    const playOn = async (): Promise<void> => {
      while (next < end && failures.length < MOST_FAILURES) {
        const failure = await stage.play(next++)
        if (failure !== undefined) failures.push(failure)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, playOn))
    if (sizes.scripts > 1000) console.log(sizes.scripts, 'scripts:', Object.fromEntries(stage.outcomes))
    expect(failures.map(describeFailure).join('\n'), 'play a seed again with FULLDUPLEX_FAULT_SEED=…').toBe('')
    // Handshakes whose client has gone are over when their time is.
    await vi.waitFor(() => expect(stage.left).toBe(0), { timeout: 20 * SECOND })
    await stage.close()
    await vi.waitFor(() => expect(handles()).toEqual(before), { timeout: 5 * SECOND })
    // Not all of them may have failed in the same way, or at all.
    if (sizes.scripts > 100) expect(stage.outcomes.size).toBeGreaterThan(5)
  })

  it('meet the same faults again for the same seed, and others for another', () => {
    const script = (seed: number): string => JSON.stringify(createScript(new Dice(seed)))
    const seeds = Array.from({ length: 1000 }, (_, seed) => seed)
    expect(seeds.map(script)).toEqual(seeds.map(script))
    const all = seeds.map(script).join('')
    for (const kind of ['delay', 'stall', 'split', 'merge', 'silence', 'fin', 'cut', 'reset']) {
      expect(all).toContain(`"${kind}"`)
    }
    expect(new Set(seeds.map(script)).size).toBeGreaterThan(900)
  })
})
