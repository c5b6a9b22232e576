/** Debian's tshark, the judge of captures: found on this machine, never downloaded. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

const PLACES = ['/usr/bin/tshark', '/usr/local/bin/tshark', '/opt/homebrew/bin/tshark']

/** Its path, or undefined when this machine has none. `TSHARK_PATH` goes first. */
export function findTshark(): string | undefined {
  return [process.env['TSHARK_PATH'], ...PLACES].find((path) => path !== undefined && existsSync(path))
}

/** What it reads out of a capture: for each packet that `filter` lets through the values of `fields`, a list each. */
export async function dissect(
  tshark: string,
  capture: string,
  filter: string,
  fields: readonly string[],
): Promise<Record<string, string[]>[]> {
  const given = fields.flatMap((field) => ['-e', field])
  // Checksums are judged, too, and names are not looked up.
  const options = ['-n', '-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE', '-T', 'json', ...given]
  const { stdout } = await promisify(execFile)(tshark, ['-r', capture, '-Y', filter, ...options], {
    maxBuffer: 2 ** 26,
  })
  const packets = JSON.parse(stdout) as Record<'_source', { layers: Record<string, string[]> }>[]
  return packets.map((packet) => packet['_source'].layers)
}
