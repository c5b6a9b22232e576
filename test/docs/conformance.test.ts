/** The driver of docs/conformance.md, as it stands there, taken through some cases; only the port is another. */
import { expect, it, onTestFinished, vi } from 'vitest'
import type * as Fullduplex from 'fullduplex'
import type { ConnectOptions } from 'fullduplex'
import { testClients } from 'fullduplex/conformance'

const run = await testClients({ only: ['1.1', '4.1', '7.9'] })

vi.mock('fullduplex', async (importOriginal) => {
  const real = await importOriginal<typeof Fullduplex>()
  const there = (uri: string): string => uri.replace('ws://localhost:9001', run.url)
  return { ...real, connect: (uri: string, options?: ConnectOptions) => real.connect(there(uri), options) }
})

it('The driver of the page takes a client through the kit', async () => {
  onTestFinished(() => run.close())
  await import('./snippets/conformance.ts')
  const { peer, results } = await run.finished
  expect(peer).toEqual({ role: 'client', name: 'example' })
  expect(results).toHaveLength(22)
  expect(results.filter(({ verdict }) => verdict !== 'OK')).toEqual([])
})
