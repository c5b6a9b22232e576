/** `fullduplex inspect`: where octets come from, and what is said of them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { cli, fakeIo, temporaryFolder } from './support.ts'

const HELLO = Buffer.from('810548656c6c6f', 'hex')
const TITLE = 'Frame 1 at 0: Text, FIN, 5 octets: "Hello"\n'

function file(content: string | Buffer): string {
  const path = join(temporaryFolder(), 'file')
  writeFileSync(path, content)
  return path
}

describe('inspect', () => {
  it.each<[string, string[]]>([
    ['--hex', ['--hex', '81 05 48656c6c6f']],
    ['--base64', ['--base64', HELLO.toString('base64')]],
    ['an argument', ['810548656c6c6f']],
    ['several arguments', ['81', '05', '48656c6c6f']],
  ])('explains octets of %s', async (_, args) => {
    const { code, stdout, stderr } = await cli(['inspect', ...args])
    expect(stdout.startsWith(TITLE)).toBe(true)
    expect(stdout.endsWith('\n7 octets, 1 frame: no rule is broken.\n')).toBe(true)
    expect([stderr, code]).toEqual(['', 0])
  })

  it.each<[string, string | Buffer, string[]]>([
    ['binary', HELLO, []],
    ['hex', '81 05\n48 65 6c 6c 6f\n', []],
    ['base64', `${HELLO.toString('base64')}\n`, []],
    ['binary, as it is told', HELLO, ['--as', 'binary']],
    ['hex, as it is told', '8105 48656c6c6f', ['--as', 'hex']],
    ['base64, as it is told', HELLO.toString('base64'), ['--as', 'base64']],
  ])('reads a file of %s, and standard input', async (_, content, args) => {
    expect((await cli(['inspect', file(content), ...args])).stdout.startsWith(TITLE)).toBe(true)
    for (const dash of [[], ['-']]) {
      const io = fakeIo()
      io.stdin.end(content)
      expect(await run(['inspect', ...dash, ...args], io)).toBe(0)
      expect(io.stdout.text.startsWith(TITLE)).toBe(true)
    }
  })

  it('takes text that is neither hex nor base64 for what it is', async () => {
    const { stdout } = await cli(['inspect'], 'GET / HTTP/1.1\r\n\r\n')
    expect(stdout).toContain('Opening handshake, request at 0')
    expect((await cli(['inspect', '--as', 'binary'], '8105')).stdout).toContain('Frame 1 at 0: Close, RSV2')
  })

  it('ends with 1 when a rule is broken', async () => {
    const { code, stdout } = await cli(['inspect', '8100', '--from', 'client'])
    expect(stdout).toContain('✗ A client must mask every frame (RFC 6455 5.1).')
    expect(stdout.endsWith('\n2 octets, 1 frame: 1 rule is broken.\n')).toBe(true)
    expect(code).toBe(1)
  })

  it('is told whether compression was agreed upon', async () => {
    expect((await cli(['inspect', 'c10100'])).code).toBe(0)
    expect((await cli(['inspect', 'c10100', '--deflate'])).code).toBe(0)
    expect((await cli(['inspect', 'c10100', '--no-deflate'])).code).toBe(1)
  })

  it('writes JSON', async () => {
    const { code, stdout } = await cli(['inspect', '8105', '48656c6c6f', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ octets: 7, mistakes: 0, cut: false, parts: [{ kind: 'frame', end: 7 }] })
    expect(code).toBe(0)
  })

  it('has colours on a terminal, as wide as that is', async () => {
    const io = fakeIo(120)
    await run(['inspect', '8100'], io)
    expect(io.stdout.text).toContain('\u{1b}[1mFrame 1')
  })

  it.each<[string, string[], string]>([
    ['hex that is none', ['--hex', 'xyz'], 'This is no hex'],
    ['base64 that is none', ['--base64', '?'], 'This is no base64'],
    ['input that is not what it is told to be', ['--as', 'hex'], 'This is no hex'],
    ['input that is no base64 though told to be', ['--as', 'base64'], 'This is no base64'],
    ['hex and base64', ['--hex', '00', '--base64', 'AAAA'], 'Give either --hex or --base64'],
    ['hex and a file', ['--hex', '00', 'file'], 'Give either --hex or "file"'],
    ['two files', ['one.bin', 'two.bin'], 'Give one file only'],
    ['a file that is not there', ['one.bin'], 'Cannot read "one.bin" (ENOENT)'],
    ['an unknown role', ['--from', 'me'], '--from needs one of client, server, and not "me"'],
    ['an unknown format', ['--as', 'octal'], '--as needs one of hex, base64, binary, and not "octal"'],
    ['nothing', ['--hex', ' '], 'There is nothing to explain'],
  ])('refuses %s', async (_, args, message) => {
    const { code, stdout, stderr } = await cli(['inspect', ...args], 'neither nor')
    expect(stderr).toContain(`fullduplex inspect: ${message}.\n`)
    expect([stdout, code]).toEqual(['', 2])
  })

  it('does not wait for somebody to type octets', async () => {
    const io = fakeIo(80)
    expect(await run(['inspect'], io)).toBe(2)
    expect(io.stderr.text).toContain('Give a file, - or --hex TEXT')
  })
})
