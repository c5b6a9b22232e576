/** A process that is watched answers questions, and whoever asks learns what became of one that does not. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pinning } from '../../bench/pinning.ts'
import { Watched } from '../../load/watched.ts'

const linux = process.platform === 'linux'
const running: Watched[] = []
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fullduplex-'))
})
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
  await rm(folder, { recursive: true })
})

/** A process that runs this, as a server. */
async function watch(source: string): Promise<Watched> {
  const path = join(folder, 'program.mjs')
  await writeFile(path, source)
  const one = new Watched('server', { command: `'${process.execPath}' '${path}'`, args: [] }, pinning())
  running.push(one)
  return one
}

describe.runIf(linux)('A watched process', () => {
  it('of anybody says what memory it has without its garbage, which descriptors, and how late it is', async () => {
    const one = await watch(`
      import { createServer } from 'node:net'
      let garbage = Array.from({ length: 1e6 }, (_, i) => ({ i }))
      setTimeout(() => {
        garbage = undefined
        createServer().listen(0, () => console.log('ready'))
      })`)
    expect(await one.ready()).toBe('ready')
    await one.ask('time the loop')
    const sample = await one.sample()
    expect(sample.used).toBeGreaterThan(1e6)
    expect(sample.used).toBeLessThan(30e6)
    expect(sample.rss).toBeGreaterThan(sample.used)
    expect(sample.descriptors).toBeGreaterThan(5)
    expect(sample.resources).toBeGreaterThan(0)
    expect(await one.ask('counts')).toBe(undefined)
    await expect(one.get('counts')).rejects.toThrow('the server: no answer to counts')
  })

  it('that ends while it is asked is told of', async () => {
    const one = await watch(`console.log('ready'); process.on('message', () => process.exit(5))`)
    await one.ready()
    await expect(one.sample()).rejects.toThrow('the server: it ended with 5')
  })

  it('that does not answer is not waited for', async () => {
    const one = await watch(`console.log('ready'); for (;;);`)
    await one.ready()
    await expect(one.get('sample', undefined, 50)).rejects.toThrow('the server: it did not answer in 0.05 s')
  })
})
