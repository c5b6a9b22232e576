/**
 * The corpus: inputs that are worth keeping, with what they mean to the library, a file of JSON for each target. Octets are
 * hex, or text as Latin-1, whichever reads better. test/fuzz/corpus.test.ts holds the library to it, and what is mutated
 * is taken from it.
 */
import { existsSync, readFileSync } from 'node:fs'
import type { Input } from '../targets/target.ts'

interface Written {
  /** Why it is here. */
  readonly about: string
  readonly settings?: string
  readonly octets?: string
  readonly text?: string
  readonly outcome: string
}

export interface CorpusEntry extends Input {
  readonly about: string
  readonly outcome: string
}

/** The entries of `name`, of which there may be none. */
export function corpusOf(name: string): CorpusEntry[] {
  const file = new URL(`../corpus/${name}.json`, import.meta.url)
  if (!existsSync(file)) return []
  const entries = JSON.parse(readFileSync(file, 'utf8')) as readonly Written[]
  return entries.map(({ about, settings = '', octets, text = '', outcome }) => ({
    about,
    settings,
    octets: octets === undefined ? Buffer.from(text, 'latin1') : Buffer.from(octets.replaceAll(' ', ''), 'hex'),
    outcome,
  }))
}
