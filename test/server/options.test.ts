/** What is wrong about options is told where they are given: before anything listens, and before the first client comes. */
import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { attach, connect, createHandler, serve } from 'fullduplex'
import type { HandlerOptions, RoutedServeOptions, ServeOptions } from 'fullduplex'

const WRONG = { name: 'TypeError', code: 'ERR_WS_INVALID_OPTION' }

/** What a program in JavaScript might give. */
const notOptions: readonly unknown[] = [undefined, null, 8080, 'ws://localhost']
const slips: ReadonlyArray<Record<string, unknown>> = [
  { onMessage: () => {} },
  { maxPayload: 1024 },
  { Path: '/' },
  { constructor: 1 },
]
const policies: ReadonlyArray<Record<string, unknown>> = [
  { origins: 'https://app.example' },
  { origins: null },
  { origins: ['app.example'] },
  { origins: ['https://app.example/'] },
  { origins: [1] },
  { protocols: 'chat' },
  { protocols: 5 },
  { protocols: ['chat', 5] },
]

describe('serve', () => {
  it.each([...notOptions, ...slips, ...policies])('refuses %o', async (options) => {
    await expect(serve(options as ServeOptions)).rejects.toMatchObject(WRONG)
  })

  it('refuses options beside routes that are for a handler, and would protect nobody', async () => {
    const routes = { '/a': createHandler({}) }
    for (const own of [
      { origins: 'any' },
      { upgrade: () => undefined },
      { message: () => {} },
      { maxConnections: 1 },
    ]) {
      await expect(serve({ port: 0, routes, ...own } as unknown as RoutedServeOptions)).rejects.toMatchObject(WRONG)
    }
  })

  it('refuses a handler under another path than its own', async () => {
    const routes = { '/a': createHandler({ path: '/b' }) }
    await expect(serve({ port: 0, routes })).rejects.toMatchObject(WRONG)
  })
})

describe('createHandler', () => {
  it.each([...notOptions, ...slips, ...policies, { port: 80 }])('refuses %o', (options) => {
    expect(() => createHandler(options as HandlerOptions)).toThrow(expect.objectContaining(WRONG))
  })

  it('takes every kind of policy', () => {
    for (const origins of [undefined, 'any', [], ['null', 'https://app.example'], () => true] as const) {
      expect(createHandler({ ...(origins && { origins }), protocols: () => undefined }).connections.size).toBe(0)
    }
  })
})

describe('connect', () => {
  it.each([...notOptions.slice(1), ...slips])('refuses %o', (options) => {
    expect(() => connect('ws://localhost:1', options as object)).toThrow(expect.objectContaining(WRONG))
  })
})

describe('attach', () => {
  it.each([undefined, null, {}, 5, [], [{}]])('refuses %o for a handler', (handlers) => {
    expect(() => attach(createServer(), handlers as never)).toThrow(expect.objectContaining(WRONG))
  })
})
