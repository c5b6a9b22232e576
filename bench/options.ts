/** The command line of `npm run bench`: what may be given, and what is made of it. */
import { parseArgs } from 'node:util'
import { foreignSubject, programNames, subjectsOf } from './programs.ts'
import type { Role, Subject } from './programs.ts'
import type { Settings } from './rounds.ts'
import { clientScenarios, quick, scenarios, small } from './scenarios.ts'
import type { ClientScenario, Scenario } from './scenarios.ts'

const PARTS = ['servers', 'clients', 'growth', 'codec'] as const
export type Part = (typeof PARTS)[number]

export const HELP = `npm run bench -- [options]

Measures what a message costs a WebSocket server in CPU time, beside other servers, over TCP on this machine.
Linux only: CPU time comes from /proc. The program and the load each have a core, with taskset (util-linux).

What is measured
  --servers              servers, which is what happens unless something else is asked for
  --clients              clients, with the cheapest of servers on the other side
  --growth               how the cost grows with connections, sizes, fragments, topics, subscribers, header octets
  --codec                the parts of the codec, in one process
  --all                  all four
  --only S1-50,S2        these scenarios only: ${scenarios.map(({ id }) => id).join(', ')}
                         and ${clientScenarios.map(({ id }) => id).join(', ')}

Whom
  --programs NAMES       servers: ${programNames('server').join(', ')}
                         clients: ${programNames('client').join(', ')}
  --node 20,22,24,26     the programs for Node on these versions of it
  --server NAME=COMMAND  a server of yours as well; may be given several times. The command is the shell's. It gets one
                         more argument, and has to print the ws:// URL where it listens as its first line:
                           echo       send every message back
                           answer     answer every message with the number of its octets, in decimal, as text
                           broadcast  send every message to all connections, the sender's too
                           deflate    send every message back, with permessage-deflate
                         Another build of ours: 'old=FULLDUPLEX_DIST=../old/dist node bench/dist/servers/fullduplex.js'
  --client NAME=COMMAND  a client of yours as well. It gets five more arguments, URL CONNECTIONS OCTETS KIND MESSAGES.
                         On each connection it has to send so many messages of so many octets, "text" or "binary", wait
                         until as many have come back, and begin again, until it is killed

How
  --rounds N             rounds of each scenario, which alternate between the programs (3)
  --seconds N            length of what is measured in each (2)
  --quick                fullduplex, ws and raw in all scenarios, in less than three minutes, without latency
  --smoke                the same in seconds, to check that everything answers rightly: no figures

What for
  --json FILE            write the figures
  --write                write docs/benchmarks.json, docs/benchmarks.md and its pictures; what this run has not measured
                         stays as it is there
  --guard                fail when we are less far ahead of ws than docs/benchmarks.json says, by more than a quarter
  --help                 this text

The cost of what is in parentheses cannot be compared: there the load was the limit, and the program had to wait for it.
raw is the floor for anything on node:net: a server that frames nothing and answers with prepared octets.
The exit code is 1 when a program answered wrongly or the guard found something, 2 for options that are wrong.`

export interface Options {
  readonly help: boolean
  readonly parts: readonly Part[]
  readonly servers: { readonly scenarios: readonly Scenario[]; readonly subjects: readonly Subject[] }
  readonly clients: { readonly scenarios: readonly ClientScenario[]; readonly subjects: readonly Subject[] }
  readonly settings: Settings
  readonly pace: 'full' | 'quick' | 'smoke'
  readonly guard: boolean
  readonly write: boolean
  readonly json: string | undefined
}

/** Throws a TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const pace = values.smoke ? 'smoke' : values.quick ? 'quick' : 'full'
  if (values.write && (pace !== 'full' || values.only !== undefined || values.programs !== undefined)) {
    throw new TypeError('--write takes whole parts: not with --only, --programs, --quick or --smoke')
  }
  const only = chosen(
    'scenario',
    values.only,
    [...scenarios, ...clientScenarios].map(({ id }) => id),
  )
  return {
    help: values.help,
    parts: partsOf(values, only),
    servers: {
      scenarios: scenarios.filter(({ id }) => wanted(only, id)).map(paced(pace)),
      subjects: subjects('server', values, pace, values.server),
    },
    clients: {
      scenarios: clientScenarios.filter(({ id }) => wanted(only, id)).map((one) => (values.smoke ? small(one) : one)),
      subjects: subjects('client', values, pace, values.client),
    },
    settings: settings(pace, values),
    pace,
    guard: values.guard,
    write: values.write,
    json: values.json,
  }
}

const flag = { type: 'boolean', default: false } as const
const word = { type: 'string' } as const
const words = { type: 'string', multiple: true, default: [] as string[] } as const
const OPTIONS = {
  help: { ...flag, short: 'h' },
  servers: flag,
  clients: flag,
  growth: flag,
  codec: flag,
  all: flag,
  only: word,
  programs: word,
  node: word,
  server: words,
  client: words,
  rounds: word,
  seconds: word,
  quick: flag,
  smoke: flag,
  json: word,
  write: flag,
  guard: flag,
} as const

/** What is asked for; else where the scenarios that are asked for belong to; else servers. */
function partsOf(values: Record<Part | 'all', boolean>, only: readonly string[] | undefined): readonly Part[] {
  const named = PARTS.filter((part) => values.all || values[part])
  if (named.length > 0) return named
  const sides = [
    { part: 'servers', of: scenarios },
    { part: 'clients', of: clientScenarios },
  ] as const
  const meant = sides.filter(({ of }) => of.some(({ id }) => only?.includes(id)))
  return meant.length > 0 ? meant.map(({ part }) => part) : ['servers']
}

function paced(pace: Options['pace']): (scenario: Scenario) => Scenario {
  if (pace === 'smoke') return small
  return pace === 'quick' ? quick : (scenario) => scenario
}

/** Seconds, and rounds. */
const PACES = {
  full: { rounds: 3, warmUp: 1, seconds: 2 },
  quick: { rounds: 1, warmUp: 0.5, seconds: 1 },
  smoke: { rounds: 1, warmUp: 0.05, seconds: 0.1 },
} as const

interface Given {
  readonly programs?: string | undefined
  readonly node?: string | undefined
  readonly rounds?: string | undefined
  readonly seconds?: string | undefined
}

function settings(pace: Options['pace'], { rounds, seconds }: Given): Settings {
  const usual = PACES[pace]
  if (rounds !== undefined && !/^[1-9]\d{0,2}$/.test(rounds)) {
    throw new TypeError(`--rounds takes a whole number from 1 to 999, not ${rounds}`)
  }
  if (seconds !== undefined && !(Number(seconds) > 0 && Number(seconds) <= 60)) {
    throw new TypeError(`--seconds takes a number up to 60, not ${seconds}`)
  }
  return {
    rounds: Number(rounds ?? usual.rounds),
    warmUp: usual.warmUp,
    seconds: Number(seconds ?? usual.seconds),
    latency: pace === 'full',
  }
}

/** What needs nothing but the development dependencies of the project itself. */
const AT_HAND = ['fullduplex', 'ws', 'raw']

function subjects(role: Role, { programs, node }: Given, pace: Options['pace'], foreign: readonly string[]): Subject[] {
  const names = programNames(role)
  const all = [...new Set([...programNames('server'), ...programNames('client')])]
  const given = chosen('program', programs, all) ?? (pace === 'full' ? all : AT_HAND)
  const odd = node?.split(',').find((major) => !/^\d+$/.test(major))
  if (odd !== undefined) throw new TypeError(`--node takes major versions, not ${JSON.stringify(odd)}`)
  const nodes = node?.split(',') ?? (pace === 'full' ? undefined : [process.versions.node.split('.', 1)[0]])
  return [
    ...names.filter((name) => given.includes(name)).flatMap((name) => subjectsOf(name, role, nodes)),
    ...foreign.map(foreignSubject),
  ]
}

/** A list of names, each of which has to be known. */
function chosen(what: string, given: string | undefined, all: readonly string[]): string[] | undefined {
  const names = given?.split(',').filter((name) => name !== '')
  const unknown = names?.filter((name) => !all.includes(name)) ?? []
  if (unknown.length > 0) throw new TypeError(`no such ${what}: ${unknown.join(', ')}; there are ${all.join(', ')}`)
  return names
}

function wanted(only: readonly string[] | undefined, id: string): boolean {
  return only === undefined || only.includes(id)
}
