/**
 * The chat as a command: `npm start`, or `PORT=9000 HOST=0.0.0.0 npm start` to let other machines in.
 * It ends with 1001, going away, on SIGINT and SIGTERM, and with exit status 1 and one sentence when it cannot start.
 */
import { startChat } from './chat.ts'
import type { RunningChat } from './chat.ts'

const port = Number(process.env['PORT'] || 8080)
const host = process.env['HOST'] || '127.0.0.1'

if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  giveUp('PORT must be a whole number from 0 to 65535.')
}

const chat = await startChat({ port, host }).catch((error: unknown) => giveUp(explain(error as NodeJS.ErrnoException)))
console.log(`The chat is open: http://${urlHost(host)}:${chat.port}/`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(chat))

async function end(running: RunningChat): Promise<void> {
  console.log('Closing the chat.')
  await running.shutdown()
  process.exit(0)
}

function giveUp(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}

function explain(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} is in use by another program: choose another one, for example PORT=${(port % 65_535) + 1} npm start.`
    case 'EACCES':
      return `This user may not listen on port ${port}: choose one above 1023, for example PORT=8080 npm start.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}: choose another HOST, for example HOST=127.0.0.1 npm start.`
    default:
      return `The chat could not start: ${error.message}`
  }
}

/** An address that can be clicked: people open `localhost` rather than “every address of this machine”. */
function urlHost(address: string): string {
  if (['127.0.0.1', '0.0.0.0', '::', '::1'].includes(address)) return 'localhost'
  return address.includes(':') ? `[${address}]` : address
}
