/** What is wrong about the options of `connect` throws where it is given. */
import { describe, expect, it } from 'vitest'
import { checkOptions } from '../../src/client/options.ts'

const wrong = expect.objectContaining({ name: 'TypeError', code: 'ERR_WS_INVALID_OPTION' }) as unknown

describe('checkOptions', () => {
  it('takes options that are left out, undefined, or what they should be', () => {
    const nothing = (): void => {}
    const right = [
      {},
      { open: undefined, protocols: undefined, signal: undefined, socketPath: undefined, tls: undefined },
      { open: nothing, message: nothing, ping: nothing, pong: nothing, drain: nothing, close: nothing, error: nothing },
      { protocols: [], signal: new AbortController().signal, socketPath: 'a', tls: {} },
    ]
    for (const options of right) expect(() => checkOptions(options)).not.toThrow()
  })

  it('refuses callbacks that are no functions', () => {
    for (const name of ['open', 'message', 'ping', 'pong', 'drain', 'close', 'error']) {
      for (const value of [null, true, 'open', {}]) expect(() => checkOptions({ [name]: value }), name).toThrow(wrong)
    }
  })

  it('refuses protocols that are no array: a string would be offered letter by letter', () => {
    for (const protocols of ['chat', null, { 0: 'a' }, new Set(['a'])]) {
      expect(() => checkOptions({ protocols })).toThrow(wrong)
    }
  })

  it('refuses signals that are none', () => {
    for (const signal of [null, {}, new AbortController(), new EventTarget()]) {
      expect(() => checkOptions({ signal })).toThrow(wrong)
    }
  })

  it('refuses a socketPath that is no path', () => {
    for (const socketPath of ['', null, 5, Buffer.from('a')]) expect(() => checkOptions({ socketPath })).toThrow(wrong)
  })

  it('refuses tls that is no object', () => {
    for (const tls of [null, true, 'ca', () => {}]) expect(() => checkOptions({ tls })).toThrow(wrong)
  })
})
