/** All that may happen to a connection: what its application does, what its peer does, and that time passes. */
import { generateFrames } from '../generate/frames.ts'
import { NOISE, TEXTS } from '../generate/payloads.ts'
import { Random } from '../support/random.ts'
import { check } from '../targets/target.ts'
import { nextTurn } from './scene.ts'
import type { EventName, Scene } from './scene.ts'
import type { Script } from './script.ts'

/** Does something with the numbers that the script gives. */
type Step = (scene: Scene, script: Script) => unknown

const SIZES = [0, 1, 125, 126, 500, 4096, 9000, 70_000]
const CODES = [undefined, 1000, 1001, 3000, 4999]
const WRONG_DATA: readonly unknown[] = [undefined, null, 1, {}, [], true, Symbol('x'), 1n, new Date(0)]

function failure(): Error {
  return Object.assign(new Error('as the script wants it'), { code: 'ERR_FUZZ_SCRIPT' })
}

function data(script: Script): string | Buffer {
  if (script.octet() % 2 === 0) return script.pick(TEXTS).toString()
  const start = script.word()
  return NOISE.subarray(start, start + script.pick(SIZES))
}

const send: Step = (scene, script) => {
  const { ws } = scene
  const message = data(script)
  const how = script.octet()
  const options = { ...(how % 3 === 0 && { compress: how % 2 === 0 }), ...(how % 5 === 0 && { fragmentSize: 100 }) }
  const wasOpen = ws.readyState === 1
  const entry = { isText: typeof message === 'string', data: Buffer.from(message), failed: false }
  // Before: within `send` the peer may take it, and somebody react.
  scene.accepted.push(entry)
  const answer = ws.send(message, options)
  check(typeof answer === 'boolean' && (wasOpen || !answer), () => `send answers ${String(answer)}`)
  // One message too many ends the connection, and is not sent.
  if (!wasOpen || ws.readyState !== 1) scene.accepted.splice(scene.accepted.indexOf(entry), 1)
}

const ping: Step = (scene, script) => scene.ws.ping(NOISE.subarray(0, script.octet() % 126))
const pong: Step = (scene, script) => scene.ws.pong(NOISE.subarray(0, script.octet() % 126))

const close: Step = (scene, script) => {
  scene.mayLose = true
  const code = script.pick(CODES)
  scene.watch('close()', code === undefined ? scene.ws.close() : scene.ws.close(code, 'bye'))
}

const terminate: Step = (scene) => {
  scene.mayLose = true
  scene.mayDrop = true
  scene.ws.terminate()
}

const sendStream: Step = (scene, script) => {
  const chunks = Array.from({ length: script.octet() % 5 }, () => NOISE.subarray(0, script.pick(SIZES)))
  const how = script.octet()
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      if (how % 2 === 0) await nextTurn()
      yield chunk
    }
    if (how % 7 === 0) throw failure()
  }
  // What is sent behind it may be held back until it is too late.
  scene.mayDrop = true
  const entry = { isText: false, data: Buffer.concat(chunks), failed: false }
  scene.accepted.push(entry)
  const sent = scene.ws.sendStream(source(), { binary: true, compress: how % 3 === 0 })
  sent.catch(() => (entry.failed = true))
  scene.watch('sendStream()', sent)
}

/** What cannot be is thrown at the caller, and changes nothing. */
const misuse: Step = (scene, script) => {
  const { ws } = scene
  const wrong = script.pick(WRONG_DATA) as Buffer
  const attempts: (() => unknown)[] = [
    () => ws.send(wrong),
    () => ws.send('a', 1 as never),
    () => ws.ping(wrong === undefined ? (null as never) : wrong),
    () => ws.pong(Buffer.alloc(126)),
    () => ws.close(1005),
    () => ws.close(1000, 'x'.repeat(124)),
    () => ws.close(undefined, 'x'),
    () => ws.send('a', { fragmentSize: 0 }),
    () => ws.sendStream([], { fragmentSize: -1 }),
    () => ws.messages({ stream: true, maxPartSize: Number.NaN }),
  ]
  const before = [ws.readyState, ws.bufferedAmount].join(' ')
  let code: unknown
  try {
    script.pick(attempts)()
  } catch (error) {
    const isType = error instanceof TypeError || error instanceof RangeError
    code = isType ? (error as { code?: unknown }).code : error
  }
  check(typeof code === 'string' && code.startsWith('ERR_WS_'), () => `misuse: ${String(code)}`)
  check([ws.readyState, ws.bufferedAmount].join(' ') === before, () => 'misuse has changed something')
}

const take: Step = (scene) => {
  if (!scene.options.iterates) return
  const next = scene.ws.messages().next()
  scene.watch(
    'next()',
    next.then((result) => result.done === true || scene.took(result.value)),
  )
}

/** Frames as a peer sends them, from a seed in the script; cut somewhere, so that they come in two reads. */
function peerSends(flawed: number): Step {
  return (scene, script) => {
    const { role, deflate } = scene.options
    const options = { role, deflate: deflate !== 'no', length: 4, flawed, largest: 70_000 }
    const octets = generateFrames(new Random(script.word()), options)
    const cut = Math.floor((octets.length * script.octet()) / 256)
    scene.feed(octets.subarray(0, cut))
    scene.feed(octets.subarray(cut))
  }
}

const peerCloses: Step = (scene, script) => {
  const body = script.octet() % 2 === 0 ? Buffer.alloc(0) : Buffer.from([0x03, 0xe8])
  const masked = scene.options.role === 'server'
  const key = Buffer.alloc(masked ? 4 : 0)
  scene.feed(Buffer.concat([Buffer.of(0x88, body.length | (masked ? 0x80 : 0)), key, body]))
}

const peerEnds: Step = (scene) => {
  scene.mayDrop = true
  scene.transport.receiveEnd()
}

const peerResets: Step = (scene) => {
  scene.mayLose = true
  scene.mayDrop = true
  const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  scene.transport.destroy(error)
}

const timePasses: Step = async (scene, script) => {
  for (let ticks = script.octet() % 40; ticks > 0; ticks--) {
    scene.clock.tick()
    if (ticks % 8 === 0) await nextTurn()
  }
}

/** In the next such event, something is done, or goes wrong. */
const react: Step = (scene, script) => {
  const event = script.pick<EventName>(['open', 'message', 'ping', 'pong', 'drain', 'error', 'close'])
  const step = script.pick<Step>([send, ping, close, terminate, pause, resume, sendStream, take, drained])
  const how = script.octet()
  const isFault = how % 8 === 0 && event !== 'error' && event !== 'close'
  scene.reactions.set(event, () => {
    if (isFault) {
      scene.mayLose = true
      scene.mayDrop = true
      if (how % 16 === 0) throw failure()
      return Promise.reject(failure())
    }
    step(scene, script)
    return how % 3 === 0 ? nextTurn() : undefined
  })
}

const pause: Step = (scene) => scene.ws.pause()
const resume: Step = (scene) => scene.ws.resume()
const drained: Step = (scene) => scene.watch('drained()', scene.ws.drained())
const closed: Step = (scene) => scene.watch('closed', scene.ws.closed)

/** By an octet of the script; what is to happen often stands here often. */
const STEPS: readonly Step[] = [
  ...[send, send, send, send, ping, pong, close, terminate, sendStream, misuse, take, take, react, react, react],
  ...[peerSends(0), peerSends(0), peerSends(0), peerSends(0.3), peerCloses, peerEnds, peerResets],
  ...[pause, resume, drained, closed],
  ...[nextTurn, nextTurn, nextTurn, timePasses],
  (scene) => (scene.transport.reading = false),
  (scene) => (scene.transport.reading = true),
]

/** The next step of the script. */
export function takeStep(scene: Scene, script: Script): unknown {
  return STEPS[script.octet() % STEPS.length](scene, script)
}
