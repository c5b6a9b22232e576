import { expect, it } from 'vitest'
import * as client from '../../src/client/index.ts'

it('the client room shows how to connect', () => {
  expect(client).toMatchObject({
    connect: expect.any(Function) as unknown,
    reconnecting: expect.any(Function) as unknown,
  })
})
