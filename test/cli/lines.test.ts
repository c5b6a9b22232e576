/** Octets to lines, and lines to what they mean. */
import { describe, expect, it } from 'vitest'
import { ENTRY_COMMANDS, Gatherer, linesOf, readEntry } from '../../src/cli/lines.ts'
import type { Entry } from '../../src/cli/lines.ts'

async function lines(chunks: readonly string[], longest?: number): Promise<string[]> {
  async function* stream(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  const found: string[] = []
  for await (const line of linesOf(stream(), longest)) found.push(line)
  return found
}

describe('linesOf', () => {
  it.each<[string, string[], string[]]>([
    ['nothing', [], []],
    ['a line', ['one\n'], ['one']],
    ['a last line without an end', ['one\ntwo'], ['one', 'two']],
    ['empty lines', ['\n\na\n'], ['', '', 'a']],
    ['either line end', ['one\r\ntwo\n'], ['one', 'two']],
    ['a line in pieces', ['o', 'n', 'e\nt', 'wo\n'], ['one', 'two']],
    ['a line end in pieces', ['one\r', '\ntwo'], ['one', 'two']],
  ])('reads %s', async (_, chunks, found) => {
    expect(await lines(chunks)).toEqual(found)
  })

  it('puts a character together that was cut', async () => {
    async function* cut(): AsyncGenerator<Buffer> {
      const octets = Buffer.from('é\n')
      yield octets.subarray(0, 1)
      yield octets.subarray(1)
    }
    const { value } = await linesOf(cut()).next()
    expect(value).toBe('é')
  })

  it('hands a line that has no end out in pieces', async () => {
    expect(await lines(['abc', 'def', 'g\nh'], 5)).toEqual(['abcdef', 'g', 'h'])
  })
})

describe('readEntry', () => {
  it.each<[string, Entry]>([
    ['hello', { kind: 'text', text: 'hello' }],
    ['', { kind: 'text', text: '' }],
    ['//path', { kind: 'text', text: '/path' }],
    ['/binary 0a 0b', { kind: 'binary', octets: Buffer.from([10, 11]) }],
    ['/binary', { kind: 'binary', octets: Buffer.alloc(0) }],
    ['/ping', { kind: 'ping', text: '' }],
    ['/ping are you there', { kind: 'ping', text: 'are you there' }],
    ['/close', { kind: 'close', code: undefined, reason: '' }],
    ['/close 1000', { kind: 'close', code: 1000, reason: '' }],
    ['/close 4000 good bye', { kind: 'close', code: 4000, reason: 'good bye' }],
    ['/pause', { kind: 'pause' }],
    ['/resume', { kind: 'resume' }],
    ['/help', { kind: 'help' }],
    ['/binary xyz', { kind: 'mistake', message: '/binary needs octets in hex, such as 0a 0b 0c' }],
    [
      '/close now',
      { kind: 'mistake', message: '/close needs a code of four digits, such as 1000, and may have a reason' },
    ],
    [
      '/quit',
      {
        kind: 'mistake',
        message: 'There is no command "/quit"; /help shows those that there are, and // begins a text with /',
      },
    ],
  ])('reads %j', (line, entry) => {
    expect(readEntry(line)).toEqual(entry)
  })

  it.each(ENTRY_COMMANDS)('knows %s, which /help shows', (usage) => {
    expect(readEntry(usage.split(' ')[0]).kind).toBe(usage.split(' ')[0].slice(1))
  })
})

describe('Gatherer', () => {
  /** What comes of each line; `false` where more is needed. */
  function gather(...typed: (string | [line: string, more: boolean])[]): unknown[] {
    const gatherer = new Gatherer()
    return typed.map((line) => {
      const entry = typeof line === 'string' ? gatherer.push(line) : gatherer.push(...line)
      expect(gatherer.open).toBe(entry === undefined)
      return entry?.kind === 'text' ? entry.text : (entry ?? false)
    })
  }

  it('takes a line for an entry', () => {
    expect(gather('one', '/help', '')).toEqual(['one', { kind: 'help' }, ''])
  })

  it('goes on behind a backslash', () => {
    expect(gather('one\\', 'two\\', '/three', '/help')).toEqual([false, false, 'one\ntwo\n/three', { kind: 'help' }])
  })

  it('takes what is between quotes as it is', () => {
    expect(gather('"""', '/one', '', 'two\\', '"""', 'x')).toEqual([false, false, false, false, '/one\n\ntwo\\', 'x'])
    expect(gather('"""one', 'two"""')).toEqual([false, 'one\ntwo'])
    expect(gather('"""/one"""')).toEqual(['/one'])
    expect(gather('"""', '"""')).toEqual([false, ''])
  })

  it('takes what is pasted together for one text', () => {
    expect(gather(['one\\', true], ['/two', true], ['three', false])).toEqual([false, false, 'one\\\n/two\nthree'])
  })
})
