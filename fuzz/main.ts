/** `npm run fuzz`: random input of all kinds for what reads from the network, and random operations for what users call. */
import { fail, numberFrom, readArguments } from '../scripts/support/arguments.ts'
import { run } from './support/crew.ts'
import type { Limits, Progress } from './support/crew.ts'
import { execute, inputOf } from './support/execution.ts'
import { describeFinding } from './support/report.ts'
import { catchStrays, takeStray } from './support/strays.ts'
import { targets } from './targets/index.ts'
import type { Target } from './targets/target.ts'

const HELP = `npm run fuzz -- [options]

  --seconds 60               all targets, the time shared among them; 60 unless given
  --target frames,request    some of them: request, response, frames, extensions, close, api
  --seed 7                   the same inputs as another run with this seed and as many workers
  --frames 1e8               until so many frames (heads, lists, bodies, operations) have been read
  --executions 1e6           until so many inputs have been executed
  --workers 2                on so many cores, 1 unless given

What a seed stood for, and the same with other octets:
  --target frames --replay 123
  --target frames --replay 123 --settings server --octets 8180

The exit code is 1 when something was found, and how to replay it is said then; 2 for options that are wrong.`

const { values } = readArguments(HELP, {
  options: {
    target: { type: 'string' },
    seconds: { type: 'string' },
    executions: { type: 'string' },
    frames: { type: 'string' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '1' },
    replay: { type: 'string' },
    settings: { type: 'string' },
    octets: { type: 'string' },
  },
})

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : numberFrom(name, text)
}

function chosen(): readonly Target[] {
  if (values.target === undefined) return targets
  return values.target.split(',').map((name) => {
    const target = targets.find((one) => one.name === name)
    return target ?? fail(`no such target: ${name}; there are ${targets.map((one) => one.name).join(', ')}`)
  })
}

async function replay(target: Target, seed: number): Promise<boolean> {
  catchStrays()
  const { input } = inputOf(target, seed)
  const settings = values.settings ?? input.settings
  const isKnown = target.settings.includes(settings)
  if (!isKnown) fail(`no such settings: ${settings}; there are ${target.settings.join(', ')}`)
  const octets = values.octets === undefined ? input.octets : Buffer.from(values.octets.replaceAll(' ', ''), 'hex')
  console.log(`${target.name} (${settings || 'no settings'}), ${octets.length} octets: ${octets.toString('hex')}`)
  const outcome = await execute(target, seed, { settings, octets })
  const stray = takeStray()
  const error = typeof outcome === 'number' ? stray : outcome.error
  console.log(
    error === undefined
      ? `nothing found: ${await target.outcome({ settings, octets })}`
      : (error.stack ?? error.message),
  )
  return error === undefined
}

const count = (number: number): string => Math.round(number).toLocaleString('en')

function line({ name, unit }: Target, { seconds, executions, units }: Progress): string {
  const rate = (number: number): string => count(number / Math.max(seconds, 0.001))
  return `${name.padEnd(10)} ${seconds.toFixed(0).padStart(4)} s  ${count(executions)} executions, ${rate(executions)}/s; ${count(units)} ${unit}, ${rate(units)}/s`
}

/** On a terminal one line that changes, elsewhere one now and then. */
function teller(target: Target): (progress: Progress, isLast: boolean) => void {
  let toldAt = 0
  return (progress, isLast) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${isLast ? '' : line(target, progress)}`)
    else if (!isLast && progress.seconds - toldAt >= 30) {
      toldAt = progress.seconds
      console.error(line(target, progress))
    }
    if (isLast) console.log(line(target, progress))
  }
}

async function fuzz(): Promise<boolean> {
  const list = chosen()
  const isCounted = values.executions !== undefined || values.frames !== undefined
  const seconds = numberOf('seconds', values.seconds, isCounted ? Infinity : 60)
  const limits: Limits = {
    seconds: seconds / list.length,
    executions: numberOf('executions', values.executions, Infinity),
    units: numberOf('frames', values.frames, Infinity),
  }
  const seed = numberOf('seed', values.seed, Math.floor(Math.random() * 2 ** 32))
  const workers = numberOf('workers', values.workers, 1)
  console.log(`seed ${seed}, ${workers} ${workers === 1 ? 'worker' : 'workers'}, Node ${process.version}`)
  for (const target of list) {
    const finding = await run(target.name, workers, seed, limits, teller(target))
    if (finding === undefined) continue
    console.log(`\n${describeFinding(finding)}`)
    return false
  }
  return true
}

const isFine =
  values.replay === undefined ? await fuzz() : await replay(chosen()[0], numberOf('replay', values.replay, 0))
process.exit(isFine ? 0 : 1)
