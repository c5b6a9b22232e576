/**
 * Takes a client through the kit: asks how many cases there are, echoes in every one of them, and asks for the report.
 * Runs in Node, Bun and Deno, as `PROGRAM URL [CASES AT ONCE]`.
 */
import process from 'node:process'
import { answer } from './echo.ts'
import type { Link } from './echo.ts'

/** Connects to `url`, calls `message` for every message, and settles when the connection has ended, however it did. */
export type Connect = (url: string, message: (link: Link, data: string | Uint8Array) => void) => Promise<void>

export async function drive(agent: string, connect: Connect): Promise<void> {
  const [, , url, atOnce = '4'] = process.argv
  if (url === undefined) throw new Error('usage: PROGRAM URL [CASES AT ONCE]')
  const base = url.replace(/\/$/, '')
  let count = 0
  await connect(`${base}/getCaseCount`, (_, data) => (count = Number(data)))
  let next = 1
  const work = async () => {
    while (next <= count) await connect(`${base}/runCase?case=${next++}&agent=${agent}`, answer)
  }
  await Promise.all(Array.from({ length: Number(atOnce) }, work))
  await connect(`${base}/updateReports?agent=${agent}`, () => {})
}
