import type { Cell } from '../programs/check.ts'

/** One that is running, and takes what a self-made authority has signed. */
export interface Browser {
  readonly title: string
  /** Loads a page, and answers the `results` that it has. */
  visit(url: string): Promise<Cell[]>
  close(): Promise<void>
}
