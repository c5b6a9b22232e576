import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePorts, listens } from '../../compat/support/ports.ts'

it('Free ports are as many as asked for, all different, and can be listened on', async () => {
  const ports = await freePorts(3)
  expect(new Set(ports).size).toBe(3)
  const server = createServer().listen(ports[0], '127.0.0.1')
  await once(server, 'listening')
  await expect(listens(ports[0], 1000)).resolves.toBeUndefined()
  await new Promise((resolve) => server.close(resolve))
  await expect(listens(ports[0], 0)).rejects.toThrow(`nobody listens on port ${ports[0]} after 0 s`)
})
