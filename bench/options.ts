/** The command line of `npm run bench`: what may be given, and what is made of it. */
import { parseArgs } from 'node:util'
import { foreignSubject, programNames, subjectsOf } from './programs.ts'
import type { Role, Subject } from './programs.ts'
import { quick, scenarios, small } from './scenarios.ts'
import type { Scenario } from './scenarios.ts'
import type { Settings } from './servers-part.ts'

export const HELP = `npm run bench -- [options]

Measures what a message costs a WebSocket server in CPU time, beside other servers, over TCP on this machine.
Linux only: CPU time comes from /proc. The program and the load each have a core, with taskset (util-linux).

  --only S1-50,S2        these scenarios only
  --programs NAMES       of ${programNames('server').join(', ')}
  --node 20,22,24,26     the programs for Node on these versions of it
  --server NAME=COMMAND  a server of yours as well; may be given several times. The command is the shell's. It gets one
                         more argument, and has to print the ws:// URL where it listens as its first line.
                           echo       send every message back
                           answer     answer every message with the number of its octets, in decimal, as text
                           broadcast  send every message to all connections, the sender's too
                           deflate    send every message back, with permessage-deflate
  --rounds N             rounds of each scenario, which alternate between the programs (3)
  --seconds N            length of what is measured in each (2)
  --quick                fullduplex, ws and raw in all scenarios, in less than three minutes, without latency
  --smoke                the same in seconds, to check that everything answers rightly: nothing is measured
  --json FILE            write the figures
  --guard                fail when we are less far ahead of ws than docs/benchmarks.json says, by more than a quarter
  --help                 this text

The cost of what is in parentheses cannot be compared: there the load was the limit, and the program had to wait for it.
raw is the floor for anything on node:net: a server that frames nothing and answers with prepared octets.
The exit code is 1 when a program answered wrongly or the guard found something, 2 for options that are wrong.`

export interface Options {
  readonly help: boolean
  readonly scenarios: readonly Scenario[]
  readonly subjects: readonly Subject[]
  readonly settings: Settings
  readonly smoke: boolean
  readonly guard: boolean
  readonly json: string | undefined
}

/** Throws a TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false, short: 'h' },
      only: { type: 'string' },
      programs: { type: 'string' },
      node: { type: 'string' },
      server: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      json: { type: 'string' },
      guard: { type: 'boolean', default: false },
    },
  })
  const { smoke } = values
  const fast = values.quick || smoke
  const names = programNames('server')
  const programs = chosen('program', values.programs, fast ? ['fullduplex', 'ws', 'raw'] : names, names)
  const ids = scenarios.map(({ id }) => id)
  const only = chosen('scenario', values.only, ids, ids)
  const selected = scenarios.filter(({ id }) => only.includes(id))
  return {
    help: values.help,
    scenarios: smoke ? selected.map(small) : values.quick ? selected.map(quick) : selected,
    subjects: subjects('server', programs, values.node, values.server),
    settings: {
      rounds: count('--rounds', values.rounds ?? (fast ? '1' : '3')),
      warmUp: smoke ? 0.05 : fast ? 0.5 : 1,
      seconds: positive('--seconds', values.seconds ?? (smoke ? '0.1' : fast ? '1' : '2')),
      latency: !fast,
    },
    smoke,
    guard: values.guard,
    json: values.json,
  }
}

function subjects(role: Role, programs: readonly string[], node: string | undefined, foreign: readonly string[]) {
  const nodes = node?.split(',')
  const odd = nodes?.find((major) => !/^\d+$/.test(major))
  if (odd !== undefined) throw new TypeError(`--node takes major versions, not ${JSON.stringify(odd)}`)
  return [...programs.flatMap((program) => subjectsOf(program, role, nodes)), ...foreign.map(foreignSubject)]
}

/** A list of names, each of which has to be known. */
function chosen(
  what: string,
  given: string | undefined,
  normal: readonly string[],
  all: readonly string[],
): readonly string[] {
  if (given === undefined) return normal
  const names = given.split(',').filter((name) => name !== '')
  const unknown = names.filter((name) => !all.includes(name))
  if (unknown.length > 0) throw new TypeError(`no such ${what}: ${unknown.join(', ')}; there are ${all.join(', ')}`)
  return names
}

function count(option: string, given: string): number {
  if (!/^[1-9]\d{0,3}$/.test(given)) throw new TypeError(`${option} takes a whole number from 1 up, not ${given}`)
  return Number(given)
}

function positive(option: string, given: string): number {
  const value = Number(given)
  if (!(value > 0 && value <= 3600)) throw new TypeError(`${option} takes a number above 0, not ${given}`)
  return value
}
