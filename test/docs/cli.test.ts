/**
 * The page of the command line: every block of a console is run, and has to show what comes of it. What differs from run to run
 * (ports, masking keys, times) may differ. `npx vitest run test/docs/cli.test.ts -u` writes the page anew.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { run } from '../../src/cli/run.ts'
import { fakeIo, startServer, written } from '../cli/support.ts'

const PAGE = fileURLToPath(new URL('../../docs/cli.md', import.meta.url))
const PROMPT = '$ '
const SERVERS = new Set(['serve', 'chat'])

/** The words of a command, as a shell splits them. */
function words(command: string): string[] {
  return Array.from(command.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain)
}

/** What `echo` or `printf` writes. */
function inputOf(command: string): string {
  const [program, text] = words(command)
  return program === 'printf' ? text.replaceAll(String.raw`\n`, '\n') : `${text}\n`
}

/** Runs the commands of the page, one after another. */
class Shell {
  readonly #echo: string
  #code = 0

  constructor(echo: string) {
    this.#echo = echo
  }

  async run(line: string): Promise<string> {
    if (line === 'echo $?') return `${this.#code}\n`
    const [command, input] = line.split(' | ').toReversed()
    const [npx, program, ...args] = words(command.replaceAll('ws://localhost:8080', this.#echo))
    if (npx !== 'npx' || program !== 'fullduplex') throw new Error(`This is no call of the program: ${line}`)
    const io = fakeIo()
    // In the order in which a terminal would show it.
    let text = ''
    io.stdout.onWrite = (part) => void (text += part)
    io.stderr.onWrite = io.stdout.onWrite
    io.stdin.end(input === undefined ? '' : inputOf(input))
    if (SERVERS.has(args[0]) && !args.includes('--help')) {
      args.push('--port', '0')
      void written(io.stdout, '\n').then(() => io.interrupt())
    }
    this.#code = await run(args, io)
    const shown = text.replaceAll(this.#echo, 'ws://localhost:8080')
    return SERVERS.has(args[0]) ? shown.replace(/:\d{5}/, ':8080') : shown
  }
}

/** Without what differs from run to run. */
function constant(text: string): string {
  return text
    .replaceAll(/key=[0-9a-f]{8}/g, 'key')
    .replaceAll(/[\d,.]+ messages\/s, [\d,]+ in [\d.]+ s/g, 'rate')
    .replaceAll(/(p50|p90|p99|p99\.9|max|mean) [\d.]+/g, '$1')
    .replaceAll(/\n {2}This process took \d+ % .*/g, '')
}

async function refresh(page: string, shell: Shell): Promise<string> {
  const lines: string[] = []
  let inConsole = false
  /** What was shown so far of the command that is being looked at, and what it wrote. */
  let shown: string[] = []
  let wrote: string | undefined
  const finish = (): void => {
    if (wrote === undefined) return
    const before = shown.length === 0 ? '' : `${shown.join('\n')}\n`
    const now = constant(before) === constant(wrote) ? before : wrote
    lines.push(...now.split('\n').slice(0, -1))
    shown = []
    wrote = undefined
  }
  for (const line of page.split('\n')) {
    if (inConsole && line.startsWith(PROMPT)) {
      finish()
      wrote = await shell.run(line.slice(PROMPT.length))
      lines.push(line)
    } else if (inConsole && line !== '```') {
      shown.push(line)
    } else {
      finish()
      inConsole = line === '```console'
      lines.push(line)
    }
  }
  return lines.join('\n')
}

it('docs/cli.md shows what the commands write', async () => {
  const page = await readFile(PAGE, 'utf8')
  const shell = new Shell(await startServer())
  await expect(await refresh(page, shell)).toMatchFileSnapshot(PAGE)
})
