/** Where a server peer listens, and how it says so. Runs in Node, Bun and Deno, as `PROGRAM [PORT]`. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import process from 'node:process'

export const host = '127.0.0.1'

/** 0 for one that is free. */
export const port: number = Number(process.argv[2] ?? 0)

/** The first line that a server prints: its URL. */
export function announce(actualPort: number): void {
  console.log(`ws://${host}:${actualPort}`)
}

export function listen(server: Server): void {
  server.listen(port, host, () => announce((server.address() as AddressInfo).port))
}
