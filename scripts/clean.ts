/**
 * Removes what the tools wrote: `dist` and `coverage`, or only the ones named on the command line.
 * Nothing else can be named, so that a slip of the fingers removes no source.
 */
import { rm } from 'node:fs/promises'

const written = ['dist', 'coverage']
const named = process.argv.slice(2)
const unknown = named.filter((name) => !written.includes(name))
if (unknown.length > 0) {
  console.error(`clean removes ${written.join(' and ')}, not ${unknown.join(', ')}`)
  process.exit(1)
}

for (const name of named.length > 0 ? named : written) {
  await rm(new URL(`../${name}`, import.meta.url), { recursive: true, force: true })
}
