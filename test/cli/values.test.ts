/** The values of options: what they mean, and what is refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CommandError, UsageError } from '../../src/cli/io.ts'
import { readOptions } from '../../src/cli/options.ts'
import type { OptionSpec, Options } from '../../src/cli/options.ts'
import {
  countOf,
  fileOf,
  headersOf,
  noPositionals,
  notBoth,
  onlyPositional,
  portOf,
  timeOf,
} from '../../src/cli/values.ts'
import { temporaryFolder } from './support.ts'

const TABLE: readonly OptionSpec[] = [
  { name: 'value', value: 'VALUE', help: [] },
  { name: 'header', value: 'HEADER', multiple: true, help: [] },
  { name: 'one', help: [] },
  { name: 'other', help: [] },
]

function given(...args: string[]): Options {
  return readOptions(args, TABLE)
}

describe('countOf', () => {
  it('takes whole numbers between its bounds, and a fallback', () => {
    expect(countOf(given('--value', '1'), 'value', 7, 1, 10)).toBe(1)
    expect(countOf(given('--value', '10'), 'value', 7, 1, 10)).toBe(10)
    expect(countOf(given(), 'value', Infinity, 1, 10)).toBe(Infinity)
  })

  it.each(['0', '11', '1.5', 'many', '1e9'])('refuses %s', (text) => {
    const message = '--value needs a whole number, 1 to 10'
    expect(() => countOf(given('--value', text), 'value', 7, 1, 10)).toThrow(new UsageError(message))
  })
})

describe('timeOf', () => {
  it('makes milliseconds of seconds and parts of them', () => {
    expect(timeOf(given('--value', '1.5'), 'value', 7)).toBe(1500)
    expect(timeOf(given('--value', '0'), 'value', 7)).toBe(0)
    expect(timeOf(given('--value', '0.0001'), 'value', 7)).toBe(1)
    expect(timeOf(given(), 'value', 7)).toBe(7)
  })

  it.each(['soon', '2000001', 'Infinity'])('refuses %s', (text) => {
    const message = '--value needs a number of seconds, 0 to 2000000'
    expect(() => timeOf(given('--value', text), 'value', 7)).toThrow(new UsageError(message))
  })

  it('refuses what is less than the least', () => {
    expect(() => timeOf(given('--value', '0'), 'value', 7, 0.001)).toThrow('0.001 to 2000000')
  })
})

describe('portOf', () => {
  it('takes ports', () => {
    expect(portOf(given('--value', '0'), 'value', 8080)).toBe(0)
    expect(portOf(given('--value', '65535'), 'value', 8080)).toBe(65_535)
    expect(portOf(given(), 'value', 8080)).toBe(8080)
  })

  it.each(['65536', 'http', '80.5'])('refuses %s', (text) => {
    expect(() => portOf(given('--value', text), 'value', 8080)).toThrow(
      new UsageError('--value needs a port, 0 to 65535'),
    )
  })
})

describe('headersOf', () => {
  it('splits at the first colon', () => {
    expect(headersOf(given('--header', 'A: b:c', '--header', 'D:'))).toEqual([
      ['A', 'b:c'],
      ['D', ''],
    ])
  })

  it.each(['a', ':a'])('refuses %s', (text) => {
    expect(() => headersOf(given('--header', text))).toThrow(new UsageError("--header needs 'NAME: VALUE'"))
  })
})

describe('fileOf', () => {
  it('reads the file that is named', () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, 'content')
    expect(fileOf(given('--value', path), 'value')?.toString()).toBe('content')
    expect(fileOf(given(), 'value')).toBeUndefined()
  })

  it('says that it cannot', () => {
    const path = join(temporaryFolder(), 'absent')
    expect(() => fileOf(given('--value', path), 'value')).toThrow(new CommandError(`Cannot read "${path}" (ENOENT)`))
  })
})

describe('positional arguments', () => {
  it('onlyPositional takes one', () => {
    expect(onlyPositional(given('a'), 'Give one')).toBe('a')
    expect(() => onlyPositional(given(), 'Give one')).toThrow(new UsageError('Give one'))
    expect(() => onlyPositional(given('a', 'b'), 'Give one')).toThrow(new UsageError('Give one address only'))
  })

  it('noPositionals takes none', () => {
    expect(() => noPositionals(given('--one'))).not.toThrow()
    expect(() => noPositionals(given('a'))).toThrow(new UsageError('There is nothing that "a" could mean here'))
  })
})

it('notBoth refuses two options that contradict each other', () => {
  expect(() => notBoth(given('--one'), 'one', 'other')).not.toThrow()
  expect(() => notBoth(given('--one', '--other'), 'one', 'other')).toThrow(
    new UsageError('Give either --one or --other'),
  )
})
