/**
 * What catches what: every defect of the breakable peer, and the cases that are not OK because of it. All others are.
 *
 * Cases are given by prefixes, as `--only` takes them: `6.3` means 6.3.1 and 6.3.2.
 */
import { cases, selectCases, testClients, testServer } from '../../../src/conformance/index.ts'
import type { CaseResult, Role, Verdict } from '../../../src/conformance/index.ts'
import { breakableClient, breakableServer } from '../../support/breakable-opening.ts'
import type { Defect } from '../../support/breakable-opening.ts'

export interface Catch {
  readonly defect: Defect
  /** Those that catch it; in a peer of either role, those of them that are for its role. */
  readonly by: string
  /** Further ones that catch it in servers. */
  readonly inServers?: string
  /** The role that can have it. Default: both. */
  readonly role?: Role
  /** Default: FAILED. */
  readonly verdict?: Verdict
  /** Cases of the long sections that run, too. */
  readonly besides?: string
}

// Where the tester sends a message and has it back, and then starts the closing handshake; a list for each section.
const GOOD_PINGS = '2.1 2.2 2.3 2.4 2.6 2.7 2.8 2.9 2.10 2.11'
const GOOD_FRAGMENTS = '5.3 5.4 5.5 5.6 5.7 5.8 5.19 5.20'
const GOOD_UTF8 = '6.1 6.2 6.5 6.6.2 6.6.5 6.6.7 6.6.9 6.6.11 6.7 6.9 6.11.1 6.11.2 6.11.3 6.11.4 6.22 6.23'
const GOOD_CLOSES = '7.1.1 7.1.2 7.1.3 7.1.4 7.1.5 7.3.1 7.3.3 7.3.4 7.3.5 7.7'
const GOOD_OPENINGS = '20.4 20.5.1 20.5.2 20.5.3 20.6.1 20.6.2 20.6.3 20.6.4 20.7 20.8 20.9.8 20.9.9 21.1 21.4'

// Where the peer has to fail the connection, with 1002 and with 1007.
const PROTOCOL_ERRORS =
  '2.5 3 4 5.1 5.2 5.9 5.10 5.11 5.12 5.13 5.14 5.15 5.16 5.17 5.18 7.3.2 7.3.6 7.9 22.1 22.2 23.1 23.2 23.3 24.2'
const BROKEN_UTF8 =
  '6.3 6.4 6.6.1 6.6.3 6.6.4 6.6.6 6.6.8 6.6.10 6.8 6.10 6.11.5 6.12 6.13 6.14 6.15 6.16 6.17 6.18 6.19 6.20 6.21 25.2'

const CLOSED_BY_TESTER = `1 ${GOOD_PINGS} ${GOOD_FRAGMENTS} ${GOOD_UTF8} ${GOOD_CLOSES} 10 ${GOOD_OPENINGS} 22.3 22.4 23.4 23.5 24.1 24.3 24.4 27.4 30`
/** All but 7.1.6 and 7.13, which are INFORMATIONAL, and handshakes that a peer has to refuse. */
const OPEN = `1 2 3 4 5 6 7.1.1 7.1.2 7.1.3 7.1.4 7.1.5 7.3 7.5 7.7 7.9 10 ${GOOD_OPENINGS} 21.5.5 21.5.6 22 23 24 25 27 30`
const NOT_COMPRESSED = '23.5.1 23.5.2 23.5.3 23.5.4 23.5.5 23.5.6 23.5.7 23.5.8'

export const defects: readonly Catch[] = [
  { defect: 'reserved bits ignored', by: '3.1 3.2 3.3 3.4 3.5 3.6 24.2' },
  { defect: 'reserved opcodes ignored', by: '4' },
  {
    defect: 'masking not checked',
    by: '22.1.1 22.1.2 22.1.3 22.1.4 22.1.5 22.1.6 22.1.7 22.1.8 22.1.10 22.2.1 22.2.2 22.2.3 22.2.4 22.2.5 22.2.6 22.2.7 22.2.8',
  },
  { defect: 'masks as the other role should', by: OPEN },
  { defect: 'non-minimal length accepted', by: '23.1.1 23.1.2 23.1.3 23.1.4 23.2.1 23.2.2 23.2.3 23.2.4 23.2.6' },
  { defect: 'top bit of 64-bit length ignored', by: '23.3.1 23.3.2' },

  { defect: 'continuation of nothing accepted', by: '5.9 5.10 5.11 5.17' },
  { defect: 'messages mixed', by: '5.18' },
  { defect: 'message lost when another starts', by: '5.18' },
  { defect: 'empty fragments ignored', by: '6.1.2 6.1.3 6.2.3 6.2.4 24.1.14 24.3.7 24.3.8 25.2.3 30.1 30.2' },
  {
    defect: 'fragments echoed one by one',
    by: `${GOOD_FRAGMENTS} 5.15 5.18 6.1.2 6.1.3 6.2.2 6.2.3 6.2.4 6.4.1 6.4.2 7.1.5 10 22.1.10 23.2.6 24.1.2 24.1.10 24.1.11 24.1.14 24.2.5 24.2.6 24.2.7 24.3.4 24.3.6 24.3.7 24.3.8 30.1 30.2 30.4.2 30.4.3`,
  },
  { defect: 'control frames may be fragmented', by: '5.1' },
  { defect: 'long control frames accepted', by: '2.5 7.3.6' },
  { defect: 'pings held back by a message', by: '5.6 5.7 5.8 5.19 5.20 24.3.6 30.4.3' },
  {
    defect: 'pings not answered',
    by: '2.1 2.2 2.3 2.4 2.6 2.9 2.10 2.11 5.6 5.7 5.8 5.19 5.20 22.4.3 24.3.6 30.2.2 30.4.3',
  },
  { defect: 'pongs empty', by: '2.2 2.3 2.4 2.6 2.9 2.10 2.11 5.6 5.7 5.8 5.19 5.20 24.3.6 30.2.2 30.4.3' },
  { defect: 'pongs fail the connection', by: '2.7 2.8 2.9 27.4 30.2.1' },

  {
    defect: 'binary echoed as text',
    by: '1.2 23.5.9 23.5.10 23.5.11 23.5.12 23.5.13 23.5.14 23.5.15 23.5.16 23.5.17 24.1.9 24.3.3 24.3.5 24.4.1 25.1.13 30.1.3 30.1.4 30.4.1',
  },
  {
    defect: 'text echoed as binary',
    by: `1.1 3.2 3.3 3.4 4.1.3 4.1.4 4.1.5 4.2.3 4.2.4 4.2.5 ${GOOD_FRAGMENTS} 5.15 ${GOOD_UTF8} 7.1.1 10 ${GOOD_OPENINGS} 21.5.5 21.5.6 22.3 23.4 ${NOT_COMPRESSED} 24.1.1 24.1.2 24.1.3 24.1.4 24.1.5 24.1.6 24.1.7 24.1.8 24.1.10 24.1.11 24.1.12 24.1.13 24.1.14 24.1.15 24.1.16 24.3.1 24.3.2 24.3.4 24.3.5 24.3.6 24.3.7 24.3.8 24.4.2 24.4.3 27.4 30.1.1 30.1.2 30.2 30.3 30.4.2 30.4.3`,
  },
  { defect: 'last octet of long messages lost', by: '1.1.7 1.1.8 1.2.7 1.2.8 10 23.5.7 23.5.8 23.5.15 23.5.16' },
  { defect: 'UTF-8 not checked', by: BROKEN_UTF8 },
  { defect: 'UTF-8 checked at the end of a message', by: '6.4', verdict: 'NON-STRICT' },
  { defect: 'UTF-8 checked by fragment', by: '6.2.3 6.2.4 6.4.2 30.4.2' },
  { defect: 'surrogates accepted', by: '6.3 6.20 6.21 7.5 25.2.1' },

  { defect: 'wrong code for protocol errors', by: PROTOCOL_ERRORS },
  { defect: 'wrong code for broken UTF-8', by: BROKEN_UTF8 },
  { defect: 'close code not checked', by: '7.9 28.3', besides: '28.2 28.3' },
  { defect: 'close code of one octet accepted', by: '7.3.2' },
  { defect: 'close reason not checked', by: '7.5' },
  { defect: 'close not answered', by: CLOSED_BY_TESTER, inServers: '27.1 27.2 27.3' },
  { defect: 'answers after close', by: '7.1.4 7.1.5 27.3' },
  { defect: 'pongs after close', by: '7.1.3' },
  { defect: 'reserved code echoed for an empty close', by: '7.3.1' },
  { defect: 'TCP not dropped', by: OPEN, role: 'server' },
  { defect: 'TCP dropped instead of a close', by: CLOSED_BY_TESTER },

  { defect: 'RSV1 on a continuation ignored', by: '24.2.6 24.2.7' },
  { defect: 'RSV1 on control frames ignored', by: '24.2.1 24.2.2 24.2.3 24.2.4 24.2.5' },
  { defect: 'inflate errors ignored', by: '25.1' },
  { defect: 'window not kept', by: '12.1.1 13.1.1 24.1.3 24.1.4 24.1.15 24.4', besides: '12.1.1 13.1.1' },
  {
    defect: 'deflate parameters not checked',
    by: '20.7.1 20.7.2 20.7.3 20.7.4 20.7.7 20.7.8 20.7.9 20.7.10 20.7.11 20.7.12 20.7.13 20.7.14 20.7.15 20.7.17 20.7.18 20.7.19 20.7.20 20.7.21 21.3.1 21.3.2 21.3.3 21.3.4 21.3.7 21.3.8 21.3.9 21.3.10 21.3.11 21.3.12 21.3.14 21.3.15 21.3.16 21.3.17',
  },

  {
    defect: 'request not checked',
    by: '20.1 20.2 20.3 20.5.4 20.6.5 20.6.6 20.6.7 20.6.8 20.6.9 20.6.10 20.10.1 20.10.3',
    role: 'server',
  },
  { defect: 'key not checked', by: '20.1.4 20.2', role: 'server' },
  { defect: 'version not checked', by: '20.1.5 20.3', role: 'server' },
  { defect: 'wrong accept value', by: `${OPEN} 7`, role: 'server' },
  { defect: 'agrees to any extension', by: '20.6.1 20.6.2 20.6.3 20.6.4 20.7 20.8 24 25', role: 'server' },
  {
    defect: 'chooses a subprotocol unasked',
    by: '1 2 3 4 5 6 7 10 20.4 20.6.1 20.6.2 20.6.3 20.6.4 20.7 20.8 20.9.8 20.9.9 22 23 24 25 27 30',
    role: 'server',
  },

  {
    defect: 'status not checked',
    by: '21.2.13 21.2.14 21.2.15 21.2.16 21.2.17 21.2.18 21.2.19',
    role: 'client',
  },
  { defect: 'accept value not checked', by: '21.2.1 21.2.2 21.2.3 21.2.4 21.2.5 21.2.6', role: 'client' },
  { defect: 'upgrade fields not checked', by: '21.2.7 21.2.8 21.2.9 21.2.10 21.2.11 21.2.12', role: 'client' },
  { defect: 'strange extension not noticed', by: '21.2.21 21.2.22 21.3', role: 'client' },
  { defect: 'strange subprotocol not noticed', by: '21.2.20', role: 'client' },
]

/** Limits, compressed content, bombs, all codes and backpressure take long: of them only those cases run that a row asks for. */
const LONG = ['9', '12', '13', '26', '28', '29']

/** The numbers of the cases that a peer of the role goes through. */
export function casesFor(role: Role, besides = ''): string[] {
  const quick = selectCases(cases, { exclude: LONG, peer: role })
  return [...quick, ...selectCases(cases, { only: prefixes(besides), peer: role })].map(({ id }) => id)
}

/** The numbers of the cases that have to catch it. */
export function caught({ by, inServers = '', besides }: Catch, role: Role): string[] {
  const ran = new Set(casesFor(role, besides))
  const only = [...prefixes(by), ...(role === 'server' ? prefixes(inServers) : [])]
  const catching = selectCases(cases, { only, peer: role }).map(({ id }) => id)
  return catching.filter((id) => ran.has(id))
}

function prefixes(words: string): string[] {
  return words === '' ? [] : words.split(' ')
}

/**
 * Judges a peer with the defect by the cases `ids`, within a tenth of the time limits: it is in this process, and quick. Whatever is not OK and not
 * `expected` has all the time it wants in a second try, so that a busy machine spoils nothing.
 */
export async function judge(
  role: Role,
  defect: Defect | undefined,
  ids: readonly string[],
  expected: readonly string[],
): Promise<readonly CaseResult[]> {
  const first = await run(role, defect, ids, 0.1)
  const doubtful = first.filter(({ id, verdict }) => !isFine(verdict) && !expected.includes(id)).map(({ id }) => id)
  if (doubtful.length === 0) return first
  const second = new Map((await run(role, defect, doubtful, 1)).map((result) => [result.id, result]))
  return first.map((result) => second.get(result.id) ?? result)
}

export function isFine(verdict: Verdict): boolean {
  return verdict === 'OK' || verdict === 'INFORMATIONAL'
}

async function run(
  role: Role,
  defect: Defect | undefined,
  only: readonly string[],
  timeoutFactor: number,
): Promise<readonly CaseResult[]> {
  const options = { only, timeoutFactor, concurrency: 32 }
  const breakable = { defect, deflate: true }
  if (role === 'server') {
    const server = await breakableServer(breakable)
    const report = await testServer(server.url, options).finally(() => server.close())
    return report.results
  }
  const clients = await testClients(options)
  try {
    await breakableClient(clients.url, breakable, options.concurrency)
    const report = await clients.finished
    return report.results
  } finally {
    await clients.close()
  }
}
