/**
 * `npm run fuzz:differential`: random streams of frames, given to our connections and to other implementations; whatever they
 * make of them differently has a rule in rules.ts that says why, or is a finding.
 */
import { fail, numberFrom, readArguments } from '../../scripts/support/arguments.ts'
import type { Case } from './compare.ts'
import { Examples, readExamples, writeExamples } from './examples.ts'
import { explainHandshake, ourAnswer, requests, theirAnswer } from './handshake.ts'
import { startPython } from './peers/python.ts'
import { undici } from './peers/undici.ts'
import { ws } from './peers/ws.ts'
import { run } from './run.ts'
import { SEEDS } from './streams.ts'
import type { Endpoint, Verdict } from './verdict.ts'

const starts: Record<string, () => Endpoint | Promise<Endpoint>> = {
  ws: () => ws,
  undici: () => undici,
  websockets: () => startPython('websockets'),
  wsproto: () => startPython('wsproto'),
  autobahn: () => startPython('autobahn'),
}
/** Findings that are printed; all are counted. */
const MAX_PRINTED = 20

const HELP = `npm run fuzz:differential -- [options]

  --streams 100000                       how many
  --peer websockets,wsproto,autobahn     against whom: ws, undici and these; ws,undici unless given
  --seed 7                               the same streams as another run with this seed
  --first 4711                           from this one of them on; with --streams 1, it alone
  --write                                keep the shortest stream of each difference in docs/differences.json and
                                         docs/differences.md

What no rule explains is printed with its stream and with the command that makes it again, and the exit code is 1; 2 for
options that are wrong.`

const { values } = readArguments(HELP, {
  options: {
    streams: { type: 'string', default: '100000' },
    first: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(Date.now() % SEEDS) },
    peer: { type: 'string', default: 'ws,undici' },
    write: { type: 'boolean', default: false },
  },
})
const wanted = values.peer.split(',')
const unknown = wanted.filter((name) => !Object.hasOwn(starts, name))
if (unknown.length > 0) fail(`no such peer: ${unknown.join(', ')}; there are ${Object.keys(starts).join(', ')}`)

const seed = numberFrom('seed', values.seed)
const streams = numberFrom('streams', values.streams)
const peers = await Promise.all(wanted.map(async (name) => starts[name]()))
console.log(
  `${streams} streams, seed ${seed}, against ${peers.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
)
const versions = new Map(peers.map(({ name, version }) => [name, version]))
const examples = new Examples(await readExamples())
let printed = 0
let told = Date.now()
const began = told
const tallies = await run({
  seed,
  first: numberFrom('first', values.first),
  streams,
  peers,
  onDifference(difference, index, names) {
    if (names.length === 0 && printed++ < MAX_PRINTED) print(difference, index)
    // One that stands for itself shows best what it is about.
    if (names.length === 1) examples.add(names[0], versions.get(difference.peer) ?? '', difference)
  },
  onProgress(done) {
    if (Date.now() - told < 10_000) return
    told = Date.now()
    console.log(`${done} streams, ${Math.round((1000 * done) / (told - began))} a second`)
  },
})
await Promise.all(peers.map((peer) => peer.end()))
if (values.write) await writeExamples(examples.sorted)

const seconds = (Date.now() - began) / 1000
console.log(`\n${streams} streams in ${seconds.toFixed(1)} s, ${Math.round(streams / seconds)} a second`)
for (const [name, { streams: given, differences, findings, rules }] of tallies) {
  console.log(`\n${name}: ${given} streams, ${differences} differences, ${findings.length} without a rule`)
  for (const [rule, count] of rules) {
    console.log(`  ${String(count).padStart(7)}  ${rule}${count === 0 ? '  (never used)' : ''}`)
  }
  if (findings.length > 0) process.exitCode = 1
}
if (wanted.includes('ws')) compareHandshakes()

function compareHandshakes(): void {
  let count = 0
  let differences = 0
  let findings = 0
  for (const request of requests()) {
    count++
    const names = explainHandshake(request)
    if (names !== undefined) differences++
    if (names?.length !== 0) continue
    if (findings++ < MAX_PRINTED) {
      console.log(`\n${JSON.stringify(request)}: ${ourAnswer(request)}, ws: ${theirAnswer(request)}`)
    }
    process.exitCode = 1
  }
  console.log(`\nopening handshakes of ws: ${count}, ${differences} differences, ${findings} without a rule`)
}

function print({ peer, stream, ours, theirs }: Case, index: number): void {
  const { role, deflate, octets } = stream
  console.log(`\n${peer} differs as a ${role}, compression ${deflate}: ${octets.toString('hex')}`)
  console.log(`  ours:   ${words(ours)}\n  theirs: ${words(theirs)}`)
  console.log(`  npm run fuzz:differential -- --peer ${peer} --seed ${seed} --first ${index} --streams 1`)
}

function words({ events, end, taken }: Verdict): string {
  return [
    ...events.map((one) => (one.length > 40 ? `${one.slice(0, 40)}… (${one.length})` : one)),
    `${end} at ${taken}`,
  ].join(', ')
}
