/** Command lines against a table of options, and the help that is made from it. */
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/io.ts'
import { describeOptions, readOptions } from '../../src/cli/options.ts'
import type { OptionSpec } from '../../src/cli/options.ts'

const TABLE: readonly OptionSpec[] = [
  { name: 'fast', short: 'f', help: ['Be fast.'] },
  { name: 'name', value: 'NAME', help: ['What to call it.'] },
  { name: 'only', value: 'CASES', multiple: true, help: ['Some of them,', 'more than once.'] },
  { name: 'json', value: 'FILE', fallback: '-', help: ['Write JSON.'] },
  { name: 'quite-a-long-name', value: 'VALUE', help: ['Has its own line.'] },
]

describe('readOptions', () => {
  it('tells switches, values and the rest apart', () => {
    const options = readOptions(['ws://a', '-f', '--name', 'x', '--only=1', '--only', '2', '--', '--name'], TABLE)
    expect(options.positionals).toEqual(['ws://a', '--name'])
    expect([options.has('fast'), options.has('json')]).toEqual([true, false])
    expect([options.get('name'), options.get('json')]).toEqual(['x', undefined])
    expect([options.all('only'), options.all('json')]).toEqual([['1', '2'], []])
  })

  it.each([
    [['--json'], '-', []],
    [['--json', '-'], '-', []],
    [['--json', 'out.json'], 'out.json', []],
    [['--json=out.json', 'ws://a'], 'out.json', ['ws://a']],
    [['--json', 'ws://a'], '-', ['ws://a']],
    [['--json', '--fast'], '-', []],
  ])('lets a value be left out where it has a fallback: %j', (args, value, positionals) => {
    const options = readOptions(args, TABLE)
    expect(options.get('json')).toBe(value)
    expect(options.positionals).toEqual(positionals)
  })

  it.each([
    [['--slow'], 'There is no option "--slow"; there are --fast, --name, --only, --json, --quite-a-long-name'],
    [['-x'], 'There is no option "-x"; there are --fast, --name, --only, --json, --quite-a-long-name'],
    [
      ['--constructor'],
      'There is no option "--constructor"; there are --fast, --name, --only, --json, --quite-a-long-name',
    ],
    [['--name'], '--name needs NAME'],
    [['--name='], '--name needs NAME'],
    [['--name', '--fast'], '--name needs NAME'],
    [['--fast=yes'], '--fast takes no value'],
    [['--name', 'a', '--name', 'b'], '--name can be given only once'],
  ])('refuses %j', (args, message) => {
    expect(() => readOptions(args, TABLE)).toThrow(new UsageError(message))
  })

  it('takes a value that begins with a hyphen behind an equals sign', () => {
    expect(readOptions(['--name=-x'], TABLE).get('name')).toBe('-x')
    expect(readOptions(['--name', '-'], TABLE).get('name')).toBe('-')
  })
})

describe('describeOptions', () => {
  it('lines them up', () => {
    expect(describeOptions(TABLE)).toEqual([
      '  -f, --fast              Be fast.',
      '  --name NAME             What to call it.',
      '  --only CASES            Some of them,',
      '                          more than once.',
      '  --json [FILE]           Write JSON.',
      '  --quite-a-long-name VALUE',
      '                          Has its own line.',
    ])
  })
})
