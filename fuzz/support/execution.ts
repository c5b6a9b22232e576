/**
 * One execution: from a seed to an input, and through a target. All that happens follows from target and seed, so that these
 * two replay it.
 */
import { mutate } from '../generate/mutate.ts'
import type { Input, Target } from '../targets/target.ts'
import { corpusOf } from './corpus.ts'
import { Random } from './random.ts'

/** How many inputs of 1 are changed once they are made. */
const MUTATED = 0.25

/** Something that must not be; `input` is what it was seen with. */
export interface Finding {
  readonly target: string
  readonly seed: number
  readonly input: Input
  readonly error: Error
}

/** Remembered, as most executions take one of them. */
const seeds = new Map<Target, readonly Buffer[]>()

function octetsOf(target: Target, settings: string, random: Random): Buffer {
  if (!random.chance(MUTATED)) return target.generate(random, settings)
  let corpus = seeds.get(target)
  if (corpus === undefined) {
    corpus = [...corpusOf(target.name).map(({ octets }) => octets), ...target.dictionary]
    seeds.set(target, corpus)
  }
  const octets = random.chance(0.5) ? target.generate(random, settings) : random.pick(corpus)
  return mutate(random, octets, [...target.dictionary, random.pick(corpus)])
}

/** The input that a seed stands for, and the generator that chooses what is done with it. */
export function inputOf(target: Target, seed: number): { readonly input: Input; readonly random: Random } {
  const random = new Random(seed)
  const settings = random.pick(target.settings)
  return { input: { settings, octets: octetsOf(target, settings, random) }, random }
}

/** Runs the target on what the seed stands for, or on `given`; answers how many units there were, or a finding. */
export function execute(target: Target, seed: number, given?: Input): Promise<number | Finding> | number | Finding {
  const made = inputOf(target, seed)
  const input = given ?? made.input
  const found = (thrown: unknown): Finding => ({
    target: target.name,
    seed,
    input,
    error: thrown instanceof Error ? thrown : new Error(String(thrown)),
  })
  try {
    const units = target.run(input, made.random)
    return typeof units === 'number' ? units : units.catch(found)
  } catch (thrown) {
    return found(thrown)
  }
}
