/** `fullduplex chat`: the example, started from the command line. */
import { describe, expect, it } from 'vitest'
import { exampleFor, nameOf } from '../../src/cli/chat.ts'
import { run } from '../../src/cli/run.ts'
import { connect } from '../../src/client/index.ts'
import { cli, fakeIo, written } from './support.ts'

describe('chat', () => {
  it.each([
    ['this machine', []],
    ['all others', ['--host', '0.0.0.0']],
  ])('opens the chat for %s, and closes it with 1001', async (_, args) => {
    const io = fakeIo()
    const ended = run(['chat', '--port', '0', ...args], io)
    const line = await written(io.stdout, '\n')
    const [, port] = /^The chat is open: http:\/\/localhost:(\d+)\/\n$/.exec(line) ?? []
    const there = `http://127.0.0.1:${port}/`
    expect(await (await fetch(there)).text()).toContain('<html')
    const ws = await connect(`${there.replace('http', 'ws')}chat`)
    io.interrupt()
    expect(await ended).toBe(0)
    expect(await ws.closed).toMatchObject({ code: 1001 })
  })

  it('finds the example beside the sources, and its built form beside the built files', () => {
    expect(exampleFor('file:///p/src/cli/chat.ts')).toBe('file:///p/examples/chat/chat.ts')
    expect(exampleFor('file:///p/dist/cli/chat.js')).toBe('file:///p/dist/chat/chat.js')
  })

  it.each([
    ['::', 'localhost'],
    ['chat.example', 'chat.example'],
    ['fd00::1', '[fd00::1]'],
  ])('of %s is at %s', (host, name) => {
    expect(nameOf(host)).toBe(name)
  })

  it('refuses an argument', async () => {
    const { code, stderr } = await cli(['chat', 'x'])
    expect(stderr).toContain('There is nothing that "x" could mean here')
    expect(code).toBe(2)
  })
})
