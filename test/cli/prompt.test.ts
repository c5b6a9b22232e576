/** The prompt, typed into through a stream that is taken for a terminal. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Entry } from '../../src/cli/lines.ts'
import { Prompt } from '../../src/cli/prompt.ts'
import { fakeIo } from './support.ts'
import type { FakeIo } from './support.ts'

interface Typed {
  readonly io: FakeIo
  readonly prompt: Prompt
  readonly entries: Entry[]
  ends(): number
}

function open(columns = 80): Typed {
  const io = fakeIo(columns)
  const entries: Entry[] = []
  let ends = 0
  const prompt = new Prompt(io, { entry: (entry) => void entries.push(entry), end: () => void ends++ })
  onTestFinished(() => prompt.close())
  return { io, prompt, entries, ends: () => ends }
}

/** Waits until what was written to the input has been read. */
async function type(io: FakeIo, keys: string): Promise<void> {
  io.stdin.write(keys)
  await new Promise((resolve) => setImmediate(resolve))
}

describe('Prompt', () => {
  it('hands lines on as entries, and asks for the next one', async () => {
    const { io, entries } = open()
    await type(io, 'hello\r/ping\r')
    expect(entries).toEqual([
      { kind: 'text', text: 'hello' },
      { kind: 'ping', text: '' },
    ])
    expect(io.stdout.text).toContain('hello')
    expect(io.stdout.text.startsWith('\u{1b}[?2004h')).toBe(true)
  })

  it('has another prompt for lines that go on', async () => {
    const { io, entries } = open()
    await type(io, 'one\\\r')
    expect(entries).toEqual([])
    expect(io.stdout.text.trimEnd()).toMatch(/\. \S*$/)
    await type(io, 'two\r')
    expect(entries).toEqual([{ kind: 'text', text: 'one\ntwo' }])
    expect(io.stdout.text.trimEnd()).toMatch(/> ?\S*$/)
  })

  it('takes what is pasted for one text', async () => {
    const { io, entries } = open()
    await type(io, '\u{1b}[200~one\r/two\rthree\u{1b}[201~')
    expect(entries).toEqual([])
    await type(io, '\rfour\r')
    expect(entries).toEqual([
      { kind: 'text', text: 'one\n/two\nthree' },
      { kind: 'text', text: 'four' },
    ])
  })

  it('remembers what was typed', async () => {
    const { io, entries } = open()
    await type(io, 'first\r')
    await type(io, '\u{1b}[A\r')
    expect(entries).toEqual([
      { kind: 'text', text: 'first' },
      { kind: 'text', text: 'first' },
    ])
  })

  it('completes commands, and nothing else', async () => {
    const { io, entries } = open()
    await type(io, '/bi\t')
    await type(io, '0a\r')
    await type(io, 'bi\t')
    await type(io, 'x\r')
    expect(entries[0]).toEqual({ kind: 'binary', octets: Buffer.from([10]) })
    expect(entries[1]).toEqual({ kind: 'text', text: 'bix' })
  })

  it('prints above what is being typed', async () => {
    const { io, prompt, entries } = open()
    await type(io, 'half a mess')
    const before = io.stdout.text.length
    prompt.print('news')
    const drawn = io.stdout.text.slice(before)
    expect(drawn.startsWith('\r\u{1b}[Jnews\n')).toBe(true)
    expect(drawn).toContain('> half a mess')
    await type(io, 'age\r')
    expect(entries).toEqual([{ kind: 'text', text: 'half a message' }])
  })

  it('climbs over all rows that the prompt takes', async () => {
    const { io, prompt } = open(20)
    await type(io, 'x'.repeat(30))
    const before = io.stdout.text.length
    prompt.print('news')
    expect(io.stdout.text.slice(before).startsWith('\r\u{1b}[1A\u{1b}[Jnews\n\n')).toBe(true)
  })

  it.each([
    ['Ctrl-C', '\u{3}'],
    ['Ctrl-D', '\u{4}'],
  ])('ends upon %s', async (_, key) => {
    const { io, ends } = open()
    await type(io, key)
    expect(ends()).toBe(1)
  })

  it('prints on when it is closed', () => {
    const { io, prompt } = open()
    prompt.close()
    prompt.print('news')
    expect(io.stdout.text.endsWith('\r\u{1b}[Jnews\n')).toBe(true)
  })

  it('takes 80 columns for granted', () => {
    const io = { ...fakeIo(80), stdout: { write: () => {}, isTTY: true } }
    const prompt = new Prompt(io, { entry: () => {}, end: () => {} })
    prompt.close()
    expect(io.stdin.listenerCount('keypress')).toBe(0)
  })
})
