/** `fullduplex inspect`: octets explained field by field, with the sections that say so and the rules that are broken. */
import { existsSync } from 'node:fs'
import { isAscii } from 'node:buffer'
import { quote } from '../errors.ts'
import type { Command } from './command.ts'
import { parseBase64, parseHex } from './hex.ts'
import { inspectionJson, inspectionLines } from './inspect-lines.ts'
import { inspectOctets } from './inspection.ts'
import { CommandError, Exit, UsageError, wantsColors } from './io.ts'
import type { Input, Io } from './io.ts'
import type { OptionSpec, Options } from './options.ts'
import { painter } from './style.ts'
import { notBoth, readBytes } from './values.ts'

const OPTIONS: readonly OptionSpec[] = [
  { name: 'hex', value: 'TEXT', help: ['Explain these octets: 81 05, 8105, 0x81,0x05.'] },
  { name: 'base64', value: 'TEXT', help: ['Explain these octets.'] },
  {
    name: 'as',
    value: 'FORMAT',
    help: ['Read the input as hex, base64 or binary.', 'Default: as what it looks like.'],
  },
  {
    name: 'from',
    value: 'ROLE',
    help: [
      'Who sent it, client or server: a client has to mask.',
      'Default: as an opening handshake tells, if there is one.',
    ],
  },
  { name: 'deflate', help: ['Compression was agreed upon (RFC 7692).'] },
  { name: 'no-deflate', help: ['It was not, so that RSV1 means nothing.'] },
  { name: 'json', help: ['Write JSON.'] },
]

export const inspect: Command = {
  name: 'inspect',
  summary: 'Explain octets of a connection, field by field.',
  usage: [
    'inspect [OPTIONS] --hex TEXT',
    'inspect [OPTIONS] OCTETS',
    'inspect [OPTIONS] FILE',
    'inspect [OPTIONS] - < FILE',
  ],
  options: OPTIONS,
  notes: [
    'What begins as a request or a response of HTTP is taken for an opening handshake, all else for',
    'frames, those of one direction. The exit code is 0 when no rule is broken, 1 when one is, 2 when',
    'there is nothing to explain. Octets that are missing at the end break no rule.',
  ],
  examples: [
    "inspect --hex '81 85 37fa213d 7f9f4d5158'",
    'inspect --from client 8105 48656c6c6f',
    'inspect capture.bin',
    'inspect --json - < capture.hex',
  ],
  async run(options: Options, io: Io): Promise<number> {
    notBoth(options, 'hex', 'base64')
    notBoth(options, 'deflate', 'no-deflate')
    const from = oneOf(options, 'from', ['client', 'server'])
    const deflate = options.has('deflate') ? true : options.has('no-deflate') ? false : undefined
    const octets = await readOctets(options, io)
    if (octets.length === 0) throw new CommandError('There is nothing to explain')
    const inspection = inspectOctets(octets, { from, deflate })
    const { stdout } = io
    const page = { paint: painter(wantsColors(stdout, io.env)), columns: stdout.columns }
    stdout.write(`${options.has('json') ? inspectionJson(inspection) : inspectionLines(inspection, page).join('\n')}\n`)
    return inspection.mistakes > 0 ? Exit.Failed : Exit.Passed
  },
}

function oneOf<Name extends string>(options: Options, name: string, known: readonly Name[]): Name | undefined {
  const given = options.get(name)
  if (given === undefined) return undefined
  const found = known.find((one) => one === given)
  if (found === undefined) throw new UsageError(`--${name} needs one of ${known.join(', ')}, and not ${quote(given)}`)
  return found
}

const FORMATS = ['hex', 'base64', 'binary'] as const

async function readOctets(options: Options, io: Io): Promise<Buffer> {
  const { positionals } = options
  const format = oneOf(options, 'as', FORMATS)
  for (const [name, parse] of [
    ['hex', parseHex],
    ['base64', parseBase64],
  ] as const) {
    const text = options.get(name)
    if (text === undefined) continue
    if (positionals.length > 0) throw new UsageError(`Give either --${name} or ${quote(positionals[0])}`)
    return parse(text) ?? notOctets(name)
  }
  const [path = '-'] = positionals
  if (path !== '-' && !existsSync(path)) {
    // Nobody wants to write --hex each time.
    const octets = parseHex(positionals.join(''))
    if (octets !== undefined) return octets
  }
  if (positionals.length > 1) throw new UsageError('Give one file only')
  if (positionals.length === 0 && io.stdin.isTTY === true) throw new UsageError('Give a file, - or --hex TEXT')
  const octets = path === '-' ? await readAll(io.stdin) : readBytes(path)
  return decode(octets, format)
}

function decode(octets: Buffer, format: (typeof FORMATS)[number] | undefined): Buffer {
  if (format === 'binary' || (format === undefined && !isAscii(octets))) return octets
  const text = octets.toString('latin1')
  if (format === 'hex') return parseHex(text) ?? notOctets(format)
  if (format === 'base64') return parseBase64(text) ?? notOctets(format)
  return parseHex(text) ?? parseBase64(text) ?? octets
}

function notOctets(format: string): never {
  throw new CommandError(`This is no ${format}`)
}

async function readAll(stdin: Input): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stdin as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
