/**
 * A connection over a transport in memory, by a clock of ours, with a script of operations: of the application, of the peer,
 * of time. Whatever the script is, what `scene.ts` checks holds: `open` first, `close` once and last, `error` at most once,
 * a `readyState` that only grows, promises that settle, a `bufferedAmount` that ends at 0, and what came and what was sent
 * in order and whole.
 */
import { Scene } from '../api/scene.ts'
import type { SceneOptions } from '../api/scene.ts'
import { Script } from '../api/script.ts'
import { takeStep } from '../api/steps.ts'
import { check } from './target.ts'
import type { Input, Target } from './target.ts'

const SETTINGS = ['server', 'client'].flatMap((role) =>
  ['', ' deflate', ' context'].flatMap((deflate) => [`${role}${deflate}`, `${role}${deflate} iterate`]),
)

/** Operations in a script, so many that none takes long. */
const MAX_STEPS = 60

function optionsOf(settings: string): SceneOptions {
  const words = settings.split(' ')
  return {
    role: words.includes('client') ? 'client' : 'server',
    deflate: words.includes('deflate') ? 'each' : words.includes('context') ? 'context' : 'no',
    iterates: words.includes('iterate'),
  }
}

async function play({ settings, octets }: Input): Promise<{ scene: Scene; steps: number }> {
  const scene = new Scene(optionsOf(settings))
  const script = new Script(octets)
  scene.ws.start('', Buffer.alloc(0))
  let steps = 0
  while (!script.ended && steps < MAX_STEPS) {
    const step = takeStep(scene, script)
    if (step instanceof Promise) await step
    scene.checkNow()
    steps++
  }
  await scene.finish()
  return { scene, steps }
}

export const api: Target = {
  name: 'api',
  settings: SETTINGS,
  unit: 'operations',
  dictionary: [Buffer.of(0), Buffer.of(255)],
  generate: (random) => random.bytes(random.between(5, 120)),
  run: (input) => play(input).then(({ steps }) => steps),

  async outcome(input) {
    const { scene, steps } = await play(input)
    check(steps <= MAX_STEPS, () => `${steps} steps`)
    return scene.summary
  },
}
