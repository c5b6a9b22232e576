/** Options: what they are when nobody says, and what nobody may say (threat V16). */
import { constants } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import {
  CONNECTION_NAMES,
  END_TIMEOUT,
  checkCallbacks,
  checkCount,
  checkFunction,
  checkNames,
  checkTime,
  connectionSettings,
  defaults,
} from '../../src/connection/options.ts'
import type { ConnectionOptions } from '../../src/connection/options.ts'
import { misuse } from '../support/errors.ts'
import { ROLES } from '../support/wire.ts'

const wrongType = [null, '1', '1mb', '', true, false, 5n, Symbol('s'), [], [1], {}, new Date(0), () => 1]
const wrongValue = [Number.NaN, -1, -0.5, 0.5, 1.5, -Infinity, 2 ** 53, 1e21, Number.MAX_VALUE]

const counts = ['maxMessageSize', 'maxFragments', 'fragmentSize', 'highWaterMark', 'maxBufferedAmount'] as const
const times = ['closeTimeout', 'idleTimeout', 'frameTimeout'] as const

function settings(options: ConnectionOptions | Record<string, unknown>): unknown {
  return connectionSettings('server', options)
}

function expectRefused(
  options: Record<string, unknown>,
  kind: typeof TypeError | typeof RangeError,
  name: string,
): void {
  expect(() => settings(options)).toThrow(kind)
  expect(() => settings(options)).toThrow(expect.objectContaining({ code: 'ERR_WS_INVALID_OPTION' }))
  expect(() => settings(options)).toThrow(name)
}

describe('connectionSettings', () => {
  it('fills in the defaults of a server', () => {
    const { clock, receivers, counts: counted, ...rest } = connectionSettings('server', {})
    expect(rest).toEqual({
      role: 'server',
      text: 'string',
      maxMessageSize: 1_048_576,
      maxFragments: 131_072,
      fragmentSize: Infinity,
      highWaterMark: 65_536,
      maxBufferedAmount: 16_777_216,
      closeTimeout: 10_000,
      idleTimeout: 0,
      frameTimeout: 30_000,
      heartbeat: { interval: 30_000, timeout: 30_000 },
    })
    expect(clock).toBeDefined()
    expect(receivers).toBeDefined()
    expect(new Set(Object.values(counted))).toEqual(new Set([0]))
  })

  it('fills in those of a client, which takes larger messages and leaves heartbeats to the server', () => {
    expect(connectionSettings('client', {})).toMatchObject({ role: 'client', maxMessageSize: 16_777_216 })
    expect(connectionSettings('client', {}).heartbeat).toBeUndefined()
    expect(connectionSettings('client', { heartbeat: {} }).heartbeat).toEqual({ interval: 30_000, timeout: 30_000 })
  })

  it.each(ROLES)('takes its own defaults, and `undefined` for them, as a %s', (role) => {
    const unset = Object.fromEntries(Object.keys(defaults[role]).map((name) => [name, undefined]))
    expect(connectionSettings(role, defaults[role])).toEqual(connectionSettings(role, {}))
    expect(connectionSettings(role, unset as ConnectionOptions)).toEqual(connectionSettings(role, {}))
  })

  it('keeps what it is given', () => {
    const given: ConnectionOptions = {
      text: 'buffer',
      maxMessageSize: 1,
      maxFragments: 2,
      fragmentSize: 3,
      highWaterMark: 4,
      maxBufferedAmount: 5,
      closeTimeout: 6,
      idleTimeout: 7,
      frameTimeout: 8,
      heartbeat: { interval: 9, timeout: 10 },
    }
    expect(connectionSettings('client', given)).toMatchObject(given)
    expect(connectionSettings('server', { heartbeat: { timeout: 5 } }).heartbeat).toEqual({
      interval: 30_000,
      timeout: 5,
    })
  })

  it.each(counts)('refuses %s that is no count', (name) => {
    for (const value of wrongType) expectRefused({ [name]: value }, TypeError, name)
    for (const value of [...wrongValue, 0]) expectRefused({ [name]: value }, RangeError, name)
  })

  it.each(counts.filter((name) => name !== 'maxMessageSize'))('takes any count and Infinity for %s', (name) => {
    for (const value of [1, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, Infinity]) {
      expect(settings({ [name]: value })).toMatchObject({ [name]: value })
    }
  })

  it('refuses a maxMessageSize that no string could hold', () => {
    const most = constants.MAX_STRING_LENGTH
    expect(settings({ maxMessageSize: most })).toMatchObject({ maxMessageSize: most })
    for (const value of [most + 1, 2 ** 31, 2 ** 32, Infinity]) {
      expectRefused({ maxMessageSize: value }, RangeError, 'maxMessageSize')
    }
  })

  it.each(times)('refuses %s that is no time', (name) => {
    for (const value of wrongType) expectRefused({ [name]: value }, TypeError, name)
    for (const value of [...wrongValue, Infinity, 2 ** 31]) expectRefused({ [name]: value }, RangeError, name)
    expect(settings({ [name]: 2 ** 31 - 1 })).toMatchObject({ [name]: 2 ** 31 - 1 })
  })

  it('takes 0 for the times that can be switched off, and only for those', () => {
    expect(settings({ idleTimeout: 0, frameTimeout: 0 })).toMatchObject({ idleTimeout: 0, frameTimeout: 0 })
    expectRefused({ closeTimeout: 0 }, RangeError, 'closeTimeout')
    expectRefused({ heartbeat: { interval: 0 } }, RangeError, 'heartbeat.interval')
    expectRefused({ heartbeat: { timeout: 0 } }, RangeError, 'heartbeat.timeout')
  })

  it('refuses a heartbeat that is neither false nor made of times', () => {
    for (const value of [null, true, 1, 0, '30s', 5n]) expectRefused({ heartbeat: value }, TypeError, 'heartbeat')
    for (const value of ['1', true]) {
      expectRefused({ heartbeat: { interval: value } }, TypeError, 'heartbeat.interval')
      expectRefused({ heartbeat: { timeout: value } }, TypeError, 'heartbeat.timeout')
    }
    for (const value of [...wrongValue, Infinity, 2 ** 31]) {
      expectRefused({ heartbeat: { interval: value } }, RangeError, 'heartbeat.interval')
      expectRefused({ heartbeat: { timeout: value } }, RangeError, 'heartbeat.timeout')
    }
  })

  it('refuses a text mode that it does not know', () => {
    for (const value of [null, '', 'String', 'utf8', true, 1]) expectRefused({ text: value }, TypeError, 'text')
  })

  it('serves all of its times, and those of others, with one clock: as fine as the shortest asks for', () => {
    const hour = 3_600_000
    const long = { closeTimeout: hour, idleTimeout: 0, frameTimeout: hour, heartbeat: false } as const
    const clockOf = (options: ConnectionOptions, ...others: number[]): unknown =>
      connectionSettings('server', { ...long, ...options }, ...others).clock
    const coarse = clockOf({})
    for (const options of [
      { closeTimeout: 400 },
      { idleTimeout: 400 },
      { frameTimeout: 400 },
      { heartbeat: { interval: 400, timeout: hour } },
      { heartbeat: { interval: hour, timeout: 400 } },
    ]) {
      expect(clockOf(options)).not.toBe(coarse)
      expect(clockOf(options)).toBe(clockOf({}, 400))
    }
  })
})

describe('checkCount', () => {
  it('takes whole numbers from the least up', () => {
    expect(checkCount('n', 0, 0)).toBe(0)
    expect(checkCount('n', 7, 7)).toBe(7)
    expect(() => checkCount('n', 6, 7)).toThrow('n must be a whole number from 7 up')
    expect(() => checkCount('n', 0)).toThrow('from 1 up')
  })
})

describe('checkTime', () => {
  it('takes whole milliseconds from the least up to what a timer can wait', () => {
    expect(checkTime('t', 0, 0)).toBe(0)
    expect(() => checkTime('t', 0)).toThrow('t must be whole milliseconds from 1 to 2147483647')
  })
})

const invalid = misuse('TypeError', 'ERR_WS_INVALID_OPTION')

describe('checkNames', () => {
  it('takes an object of which every name is known', () => {
    checkNames('it', {}, [])
    checkNames('it', { b: undefined, a: 1 }, ['a', 'b', 'c'])
    expect(() => checkNames('serve', { open: 1, heartbeat: 2 }, CONNECTION_NAMES)).not.toThrow()
  })

  it('refuses a name with a slip in it, and says whose it is', () => {
    const check = (): void => checkNames('serve', { a: 1, mesage: 2 }, ['a', 'message'])
    expect(check).toThrow(invalid)
    expect(check).toThrow('serve has no option "mesage"; ')
    expect(() => checkNames('serve', { constructor: 1 }, CONNECTION_NAMES)).toThrow(invalid)
  })

  it.each([null, undefined, 'text', 5, () => 1])('refuses %s, which is no object of options', (options) => {
    const check = (): void => checkNames('serve', options as unknown as object, [])
    expect(check).toThrow(invalid)
    expect(check).toThrow('The options of serve must be an object')
  })
})

describe('checkFunction and checkCallbacks', () => {
  it('take functions, and callbacks that are not there', () => {
    checkFunction('f', () => 1)
    checkCallbacks({})
    expect(() => checkCallbacks({ open: undefined, message: () => 1, other: 5 })).not.toThrow()
  })

  it.each(['open', 'message', 'ping', 'pong', 'drain', 'close', 'error', 'upgrade'])(
    'refuse anything else for %s',
    (name) => {
      for (const value of [null, 'text', 5, {}, Promise.resolve()]) {
        const checks = [() => checkFunction(name, value), () => checkCallbacks({ [name]: value }, 'upgrade')]
        for (const check of checks) expect(check).toThrow(invalid)
        for (const check of checks) expect(check).toThrow(`${name} must be a function`)
      }
    },
  )
})

describe('END_TIMEOUT', () => {
  it('gives the other side two seconds for its FIN', () => {
    expect(END_TIMEOUT).toBe(2000)
  })
})
