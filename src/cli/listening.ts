/** What the commands have in common that listen: where, and why they cannot. */
import { CommandError, UsageError } from './io.ts'
import type { Io } from './io.ts'
import type { OptionSpec, Options } from './options.ts'
import { portOf } from './values.ts'

export const LISTEN_OPTIONS: readonly OptionSpec[] = [
  { name: 'port', value: 'PORT', help: ['Where to listen; 0 takes a port that is free.', 'Default: 8080.'] },
  {
    name: 'host',
    value: 'HOST',
    help: ['Default: 127.0.0.1, which only this machine reaches;', '0.0.0.0 lets others in.'],
  },
]

const DEFAULT_PORT = 8080
const DEFAULT_HOST = '127.0.0.1'

export function whereToListen(options: Options): { port: number; host: string } {
  return { port: portOf(options, 'port', DEFAULT_PORT), host: options.get('host') ?? DEFAULT_HOST }
}

/** A wrong option is the reader's to mend, and so is an address where nobody can listen. */
export function cannotListen(error: unknown, port: number, host: string): CommandError {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code.startsWith('ERR_WS_')) return new UsageError(message.replace(/\.$/, ''))
  const hint = code === 'EADDRINUSE' ? '; --port chooses another one' : ''
  return new CommandError(`Cannot listen on port ${port} of ${host}: ${message}${hint}`)
}

/** Settles upon Ctrl-C. */
export async function interruption({ interrupted }: Io): Promise<void> {
  if (interrupted.aborted) return
  await new Promise<void>((resolve) => interrupted.addEventListener('abort', () => resolve(), { once: true }))
}
