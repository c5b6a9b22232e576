import { describe, expect, it, vi } from 'vitest'
import { deflateSettings } from '../../src/deflate/options.ts'
import { misuse } from '../support/errors.ts'

describe('deflateSettings', () => {
  it('answers nothing for false, which is to not compress', () => {
    const mayReferBack = vi.fn<() => boolean>()
    expect(deflateSettings(false, mayReferBack)).toBeUndefined()
    expect(mayReferBack).not.toHaveBeenCalled()
  })

  it.each([[true], [{}], [{ level: undefined }]])(
    'has defaults for %j: each message by itself, and small ones not at all',
    (option) => {
      expect(deflateSettings(option)).toEqual({
        canReferBack: true,
        threshold: 1024,
        level: undefined,
        memLevel: undefined,
        serverMaxWindowBits: undefined,
        clientMaxWindowBits: undefined,
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      })
    },
  )

  it('takes every option as it is given', () => {
    const options = {
      threshold: 0,
      level: 9,
      memLevel: 1,
      serverMaxWindowBits: 8,
      clientMaxWindowBits: 15,
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
    }
    expect(deflateSettings(options)).toEqual({ canReferBack: true, ...options })
  })

  it('compresses each message by itself where messages cannot refer back', () => {
    const options = { serverNoContextTakeover: false, clientNoContextTakeover: false }
    expect(deflateSettings(options, () => false)).toMatchObject({
      canReferBack: false,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    })
  })

  it('compresses only what `send` says with a threshold of Infinity', () => {
    expect(deflateSettings({ threshold: Infinity })?.threshold).toBe(Infinity)
  })

  it.each([[undefined], [null], [1], ['yes'], [() => true]])('throws a TypeError for %s', (option) => {
    expect(() => deflateSettings(option)).toThrow(misuse('TypeError', 'ERR_WS_INVALID_OPTION'))
  })

  it.each([
    ['threshold', '1'],
    ['level', null],
    ['memLevel', '8'],
    ['serverMaxWindowBits', true],
    ['clientMaxWindowBits', {}],
    ['serverNoContextTakeover', 1],
    ['clientNoContextTakeover', null],
  ])('throws a TypeError that names the option for %s: %j', (name, value) => {
    const set = (): unknown => deflateSettings({ [name]: value })
    expect(set).toThrow(misuse('TypeError', 'ERR_WS_INVALID_OPTION'))
    expect(set).toThrow(`perMessageDeflate.${name} must be `)
  })

  it.each([
    ['threshold', -1],
    ['threshold', 1.5],
    ['level', -1],
    ['level', 10],
    ['memLevel', 0],
    ['memLevel', 10],
    ['serverMaxWindowBits', 7],
    ['serverMaxWindowBits', 16],
    ['clientMaxWindowBits', 7],
    ['clientMaxWindowBits', 16],
    ['clientMaxWindowBits', Number.NaN],
  ])('throws a RangeError that names the option for %s: %d', (name, value) => {
    const set = (): unknown => deflateSettings({ [name]: value })
    expect(set).toThrow(misuse('RangeError', 'ERR_WS_INVALID_OPTION'))
    expect(set).toThrow(`perMessageDeflate.${name} must be a whole number from `)
  })

  it('names the option that there is not, and those that there are', () => {
    expect(() => deflateSettings({ windowBits: 15 })).toThrow(misuse('TypeError', 'ERR_WS_INVALID_OPTION'))
    expect(() => deflateSettings({ windowBits: 15 })).toThrow(/no option "windowBits"; it has threshold, level, /)
  })
})
