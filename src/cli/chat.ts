/**
 * `fullduplex chat`: the model application, rooms and pictures in a page that talks to this package. It is an example (see
 * examples/chat) that imports the package by its name, so it lies beside the sources, and its built form beside the built ones.
 */
import type { Command } from './command.ts'
import { Exit } from './io.ts'
import type { Io } from './io.ts'
import { LISTEN_OPTIONS, cannotListen, interruption, whereToListen } from './listening.ts'
import type { Options } from './options.ts'
import { noPositionals } from './values.ts'

/** What the example exports. */
interface Example {
  startChat(where: { port: number; host: string }): Promise<{ readonly port: number; shutdown(): Promise<void> }>
}

export const chat: Command = {
  name: 'chat',
  summary: 'Open a chat for browsers: rooms, private messages, pictures.',
  usage: ['chat [OPTIONS]'],
  options: LISTEN_OPTIONS,
  notes: [
    'Nothing is stored. Ctrl-C says 1001 to everybody and ends it with exit code 0; it is 2 when it',
    'cannot listen.',
  ],
  examples: ['chat', 'chat --host 0.0.0.0 --port 9000'],
  async run(options: Options, io: Io): Promise<number> {
    noPositionals(options)
    const { port, host } = whereToListen(options)
    const example = (await import(exampleFor(import.meta.url))) as Example
    const running = await example.startChat({ port, host }).catch((error: unknown): never => {
      throw cannotListen(error, port, host)
    })
    io.stdout.write(`The chat is open: http://${nameOf(host)}:${running.port}/\n`)
    await interruption(io)
    await running.shutdown()
    return Exit.Passed
  },
}

/** The example beside the module at `url`. */
export function exampleFor(url: string): string {
  return new URL(url.endsWith('.ts') ? '../../examples/chat/chat.ts' : '../chat/chat.js', url).href
}

/** What people type to come here. */
export function nameOf(host: string): string {
  if (['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host)) return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
