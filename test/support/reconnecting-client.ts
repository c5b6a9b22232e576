/**
 * A program that has nothing to do but to connect again and again, to a server that is not there at first. It has to stay
 * alive until it has got through, and to end by itself when it has left the loop.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { reconnecting } from '../../src/client/index.ts'
import { serve } from '../../src/server/index.ts'

const placeholder = createServer().listen(0, '127.0.0.1')
await once(placeholder, 'listening')
const { port } = placeholder.address() as AddressInfo
placeholder.close()
await once(placeholder, 'close')

let server: Awaited<ReturnType<typeof serve>> | undefined
const options = {
  minDelay: 20,
  maxDelay: 40,
  retry: async (_error: unknown, attempt: number): Promise<boolean> => {
    console.log('refused', attempt)
    // In this process, but nothing that keeps it alive by itself once it has been left.
    if (attempt === 2) server = await serve({ port, host: '127.0.0.1' })
    return true
  },
}
for await (const ws of reconnecting(`ws://127.0.0.1:${port}`, options)) {
  console.log('open')
  void ws.closed.then(() => server?.shutdown({ timeout: 0 }))
  break
}
console.log('left')
