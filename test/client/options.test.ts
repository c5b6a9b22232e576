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

  it('takes ways to a server, one at a time', () => {
    const createConnection = (): never => {
      throw new Error('not called')
    }
    for (const options of [
      { proxy: 'environment' },
      { proxy: new URL('http://a') },
      { proxy: { url: 'http://a' } },
      { createConnection },
      { proxy: undefined, socketPath: undefined, createConnection: undefined },
    ]) {
      expect(() => checkOptions(options)).not.toThrow()
    }
    for (const proxy of [null, 5, true, () => {}]) expect(() => checkOptions({ proxy })).toThrow(wrong)
    for (const value of [null, {}, 'a']) expect(() => checkOptions({ createConnection: value })).toThrow(wrong)
    expect(() => checkOptions({ proxy: 'http://a', socketPath: 'b' })).toThrow(/^proxy and socketPath cannot/)
    expect(() => checkOptions({ proxy: 'http://a', createConnection })).toThrow(wrong)
    expect(() => checkOptions({ socketPath: 'b', createConnection })).toThrow(wrong)
  })

  it('takes a count of redirects from 0 to 20', () => {
    for (const redirects of [0, 1, 20, undefined]) expect(() => checkOptions({ redirects })).not.toThrow()
    for (const redirects of [-1, 1.5, 21, Infinity, Number.NaN, null, true, '5']) {
      expect(() => checkOptions({ redirects })).toThrow(
        expect.objectContaining({ name: 'RangeError', code: 'ERR_WS_INVALID_OPTION' }),
      )
    }
  })

  it.each<[string, unknown[], unknown[]]>([
    ['lookup', [() => {}], [null, 'dns']],
    ['family', [0, 4, 6], [5, '4', null]],
    ['hints', [0, 32], ['32', 1.5]],
    ['localAddress', ['127.0.0.1', '::1'], ['localhost', '', 5]],
    ['localPort', [0, 65_535], [-1, 65_536, '80', 1.5]],
    ['autoSelectFamily', [true, false], [1, 'yes', null]],
    ['autoSelectFamilyAttemptTimeout', [1, 250], [0, -1, '250', Infinity]],
  ])('takes %s as net.connect does', (name, right, mistakes) => {
    for (const value of [undefined, ...right]) expect(() => checkOptions({ [name]: value })).not.toThrow()
    for (const value of mistakes) expect(() => checkOptions({ [name]: value }), String(value)).toThrow(wrong)
    expect(() => checkOptions({ [name]: mistakes[0] })).toThrow(new RegExp(`^${name} must be `))
  })
})
