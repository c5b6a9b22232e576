/**
 * `npm run conformance`: judges every program of `peers` with the conformance kit, as a server and as a client, each in a process of
 * its own, and writes `docs/conformance.json` and the tables of `docs/conformance.md`.
 *
 *     npm run conformance                          all peers, all cases
 *     npm run conformance -- --peers fullduplex    ours alone, in both roles
 *     npm run conformance -- --roles server --quick
 *
 * A choice of cases (`--quick`, which leaves out 9, 12 and 13, `--only`, `--exclude`) is printed and written nowhere. A
 * peer that hangs or dies is stopped, and the report says so. The exit code is 1 when ours was judged and is not
 * OK or INFORMATIONAL everywhere, or when a run did not come to its end.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases, selectCases, testClients, testServer } from '../src/conformance/index.ts'
import type { CaseResult, Role, RunOptions } from '../src/conformance/index.ts'
import { runCommand } from './support/command.ts'
import { installPeers, peers, startPeer, versionOf } from './support/peers.ts'
import type { Peer } from './support/peers.ts'
import { deviations, isOwn, totals, withEntry, withTables } from './support/results.ts'
import type { Entry } from './support/results.ts'

const QUICK = ['9', '12', '13'].filter((section) => cases.some(({ id }) => id.startsWith(`${section}.`)))
/** Milliseconds that a program has to start, and to end when it has nothing left to do. */
const START = 30_000
const END = 5000

const { values } = parseArgs({
  options: {
    peers: { type: 'string' },
    roles: { type: 'string' },
    only: { type: 'string' },
    exclude: { type: 'string' },
    quick: { type: 'boolean', default: false },
    explain: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '30' },
  },
})

const excluded = [...list(values.exclude), ...(values.quick ? QUICK : [])]
const partial = values.only !== undefined || excluded.length > 0
const concurrency = Number(values.concurrency)
const limit = Number(values.minutes) * 60_000
const wanted = list(values.peers)
const roles = list(values.roles)
const unknown = wanted.filter((name) => !peers.some((peer) => peer.name === name))
if (unknown.length > 0) {
  console.error(`no such peer: ${unknown.join(', ')}; there are ${peers.map(({ name }) => name).join(', ')}`)
  process.exit(1)
}

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/conformance.md')
const data = join(root, 'docs/conformance.json')

await installPeers()
for (const peer of peers) {
  if (wanted.length > 0 && !wanted.includes(peer.name)) continue
  for (const role of peer.roles) {
    if (roles.length > 0 && !roles.includes(role)) continue
    const entry = await judge(peer, role)
    if (entry === undefined) {
      console.log(`${peer.name} ${role}: not here, or not for this kind of machine`)
      continue
    }
    if (!partial) await keep(entry)
    const ours = peer.name === 'fullduplex'
    const fine = entry.deviations.every(({ verdict }) => verdict === 'INFORMATIONAL')
    if (entry.problem !== undefined || (ours && !fine)) process.exitCode = 1
  }
}

function list(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(',')
}

/** Runs all chosen cases against one program; answers to nothing when it cannot run here. */
async function judge(peer: Peer, role: Role): Promise<Entry | undefined> {
  const versions = await versionOf(peer)
  if (versions === undefined) return undefined
  const selection = { ...(values.only !== undefined && { only: list(values.only) }), exclude: excluded }
  const selected = selectCases(cases, { ...selection, peer: role })
  const results: CaseResult[] = []
  const controller = new AbortController()
  const options: RunOptions = {
    ...selection,
    concurrency,
    signal: controller.signal,
    onResult: (result, done, total) => {
      results.push(result)
      if (done % 100 === 0) console.error(`${peer.name} as a ${role}: ${done} of ${total} cases`)
    },
  }
  const timer = setTimeout(() => controller.abort(new Error(`it took more than ${values.minutes} minutes`)), limit)
  const startedAt = Date.now()
  const run = role === 'server' ? judgeServer(peer, options, controller) : judgeClient(peer, options, controller)
  const problem = await run.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  clearTimeout(timer)
  const order = new Map(selected.map(({ id }, index) => [id, index]))
  results.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0))
  const missing = selected.length - results.length
  const entry: Entry = {
    peer: peer.name,
    role,
    ...versions,
    settings: peer.settings,
    date: new Date(startedAt).toISOString().slice(0, 10),
    seconds: Math.round((Date.now() - startedAt) / 1000),
    ...(problem !== undefined && { problem: missing > 0 ? `${problem}; ${missing} cases did not run` : problem }),
    suite: totals(results.filter((result) => !isOwn(result))),
    own: totals(results.filter(isOwn)),
    deviations: deviations(results, selected),
  }
  print(entry, results)
  return entry
}

async function judgeServer(peer: Peer, options: RunOptions, controller: AbortController): Promise<void> {
  const server = startPeer(peer, 'server', ['0'])
  try {
    const url = await server.url(START)
    void server.ended.then((how) => controller.abort(new Error(`it ${how}`)))
    await testServer(url, options)
  } finally {
    await server.stop()
  }
}

async function judgeClient(peer: Peer, options: RunOptions, { signal }: AbortController): Promise<void> {
  const run = await testClients(options)
  const client = startPeer(peer, 'client', [run.url, String(concurrency)])
  try {
    const early = client.ended.then(async (how): Promise<never> => {
      // The last connection may be on its way to us.
      await new Promise((resolve) => setTimeout(resolve, END))
      throw new Error(`it ${how} before it had asked for the report`)
    })
    await Promise.race([run.finished, early])
    signal.throwIfAborted()
  } finally {
    await client.stop()
    await run.close()
  }
}

function print(
  { peer, version, role, runtime, seconds, problem, suite, own, ...rest }: Entry,
  results: readonly CaseResult[],
): void {
  const words = (counts: object): string =>
    Object.entries(counts)
      .map(([verdict, n]) => `${n} ${verdict}`)
      .join(', ')
  console.log(`\n${peer} ${version} as a ${role}, by ${runtime}, in ${seconds} s`)
  console.log(`  the suite: ${words(suite)}\n  our own:   ${words(own)}`)
  if (problem !== undefined) console.log(`  ${problem}`)
  for (const { verdict, close, rule, cases: ids, explanation } of rest.deviations) {
    console.log(`  ${verdict} (close: ${close}) ${rule}: ${ids}\n      ${explanation}`)
  }
  if (!values.explain) return
  for (const { id, verdict, explanation } of results) {
    if (verdict !== 'OK') console.log(`    ${id} ${verdict} ${explanation}`)
  }
}

/** Into both files, as the formatter wants them. */
async function keep(entry: Entry): Promise<void> {
  const kept = await readFile(data, 'utf8').then(
    (json) => JSON.parse(json) as { readonly command: string; readonly runs: readonly Entry[] },
    () => ({ runs: [] }),
  )
  const names = peers.map(({ name }) => name)
  const runs = withEntry(kept.runs, entry, names)
  await writeFile(data, `${JSON.stringify({ command: 'npm run conformance', runs }, undefined, 2)}\n`)
  await writeFile(page, withTables(await readFile(page, 'utf8'), runs))
  const { code, output } = await runCommand('npx', ['oxfmt', data, page], { cwd: root })
  if (code !== 0) throw new Error(`oxfmt failed:\n${output}`)
}
