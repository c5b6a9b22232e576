/** Of each difference the shortest stream that a run has met, kept in docs/differences.json, and shown in docs/differences.md. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../scripts/support/command.ts'
import { Case } from './compare.ts'
import { handshakeRules, ourAnswer, requestOf, theirAnswer } from './handshake.ts'
import { rules } from './rules.ts'
import type { Deflate, Stream, Verdict } from './verdict.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = join(root, 'docs/differences.json')
const page = join(root, 'docs/differences.md')
/** Digits of a stream in the page. */
const LONGEST_SHOWN = 120
const BEGIN = '<!-- differences: begin, by npm run fuzz:differential -- --write -->'
const END = '<!-- differences: end -->'

export interface Example {
  readonly rule: string
  readonly peer: string
  readonly version: string
  readonly role: Stream['role']
  readonly deflate: Deflate
  /** In hex. */
  readonly stream: string
  readonly ours: Verdict
  readonly theirs: Verdict
}

export async function readExamples(): Promise<Example[]> {
  return JSON.parse(await readFile(data, 'utf8').catch(() => '[]')) as Example[]
}

export function streamOf({ role, deflate, stream }: Example): Stream {
  return { role, deflate, octets: Buffer.from(stream, 'hex') }
}

/** Gathers examples: of two for the same rule and peer, the one whose stream is shorter. */
export class Examples {
  readonly #kept = new Map<string, Example>()

  /** Of those that are known, the ones that the rules still explain so. */
  constructor(known: readonly Example[]) {
    for (const example of known) {
      const { peer, rule, ours, theirs } = example
      const difference = new Case(peer, streamOf(example), ours, theirs)
      const names = rules.filter((one) => one.peers.includes(peer) && one.explains(difference)).map(({ name }) => name)
      if (names.length === 1 && names[0] === rule) this.#kept.set(`${rule}, ${peer}`, example)
    }
  }

  add(rule: string, version: string, { peer, stream, ours, theirs }: Case): void {
    const key = `${rule}, ${peer}`
    const known = this.#kept.get(key)
    if (known !== undefined && known.stream.length <= 2 * stream.octets.length) return
    const { role, deflate, octets } = stream
    this.#kept.set(key, { rule, peer, version, role, deflate, stream: octets.toString('hex'), ours, theirs })
  }

  /** In the order of the rules; what no rule stands for any more is left out. */
  get sorted(): Example[] {
    return rules.flatMap(({ name, peers }) => peers.flatMap((peer) => this.#kept.get(`${name}, ${peer}`) ?? []))
  }
}

/** Into both files, as the formatter wants them. */
export async function writeExamples(examples: readonly Example[]): Promise<void> {
  await writeFile(data, `${JSON.stringify(examples, undefined, 2)}\n`)
  await writeFile(page, withDifferences(await readFile(page, 'utf8'), examples))
  const { code, output } = await runCommand('npx', ['oxfmt', data, page], { cwd: root })
  if (code !== 0) throw new Error(`oxfmt failed:\n${output}`)
}

/** The page with its part about each rule. */
export function withDifferences(text: string, examples: readonly Example[]): string {
  const [front, rest = ''] = text.split(BEGIN)
  const parts = rules.map(({ name, whose, reason, peers }) => {
    const own = examples.filter(({ rule }) => rule === name)
    const title = `### ${name[0].toUpperCase()}${name.slice(1)}`
    const rows = own.map(
      ({ peer, role, deflate, stream, ours, theirs }) =>
        `| ${peer} | ${role}${deflate === 'none' ? '' : `, ${deflate}`} | \`${shown(stream)}\` | ${words(ours)} | ${words(theirs)} |`,
    )
    const table = ['| peer | role | stream | ours | theirs |', '| - | - | - | - | - |', ...rows]
    return [
      title,
      `${whose === 'theirs' ? 'Theirs' : 'Intended'} (${peers.join(', ')}). ${reason}`,
      table.join('\n'),
    ].join('\n\n')
  })
  return [`${front}${BEGIN}`, ...parts, handshakes(), `${END}${rest.split(END)[1] ?? '\n'}`].join('\n\n')
}

/** Where it is long, the beginning of it; the data have all. */
function shown(stream: string): string {
  return stream.length <= LONGEST_SHOWN ? stream : `${stream.slice(0, LONGEST_SHOWN)}… (${stream.length / 2} octets)`
}

function handshakes(): string {
  const rows = handshakeRules.map(({ name, whose, reason, example }) => {
    const request = requestOf(example)
    const [[field, value]] = Object.entries(example)
    const answers = `${ourAnswer(request)} | ${theirAnswer(request)}`
    return `| ${name} | ${whose} | ${reason} | ${field}: \`${value}\` | ${answers} |`
  })
  const head = ['| difference | whose | | example | ours | ws |', '| - | - | - | - | - | - |']
  return [
    '## Opening handshakes',
    'The fields of a request, given to our rules and to the server of `ws`, both with permessage-deflate.',
    [...head, ...rows].join('\n'),
  ].join('\n\n')
}

function words({ events, end, taken }: Verdict): string {
  const short = events.map((one) => (one.length > 30 ? `${one.slice(0, 30)}…` : one.trim()))
  return [...short, end === 'open' ? end : `${end.trim()} at ${taken}`].join(', ')
}
