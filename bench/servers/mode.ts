/**
 * What every server of the bench does: listens where it likes, prints its URL, and does with a message what the mode, its last
 * argument, asks for. Runs in Node, Bun and Deno.
 */
import process from 'node:process'
import type { Mode } from '../scenarios.ts'

export const mode: CommonMode = process.argv[process.argv.length - 1] as CommonMode

export const host = '127.0.0.1'

/** `topics` is for growth only, which is measured where a library has them. */
export type CommonMode = Exclude<Mode, 'topics'>

/** Octets of the largest message that a scenario has. */
export const LARGEST_MESSAGE: number = 16 * 1024 * 1024

/** Tells the bench where to connect. */
export function announce(port: number): void {
  console.log(`ws://${host}:${port}`)
}
