/** What is mutated, and which tests have to notice. */
import { existsSync, readdirSync } from 'node:fs'

/** By area, the files of sources and the folders of them. */
export const areas: Readonly<Record<string, readonly string[]>> = {
  framing: ['src/framing'],
  handshake: ['src/handshake'],
  deflate: ['src/deflate'],
  closing: ['src/connection/closing.ts', 'src/connection/ending.ts'],
  limits: [
    'src/connection/heartbeat.ts',
    'src/connection/options.ts',
    'src/connection/output.ts',
    'src/connection/turns.ts',
    'src/server/gate.ts',
    'src/server/openings.ts',
  ],
}

/** Tests of a source file beside its mirror, or in place of one. */
const MORE_TESTS: Readonly<Record<string, readonly string[]>> = {
  'src/framing/message.ts': ['test/framing/extension.test.ts', 'test/framing/streaming.test.ts'],
  'src/handshake/decode.ts': ['test/handshake/head.test.ts'],
  'src/handshake/machine.ts': ['test/handshake/head.test.ts'],
  'src/deflate/deflate.ts': ['test/deflate/gradual.test.ts'],
  'src/deflate/deflater.ts': ['test/deflate/deflate.test.ts'],
  'src/deflate/inflater.ts': ['test/deflate/deflate.test.ts', 'test/deflate/gradual.test.ts'],
  'src/deflate/inflation.ts': ['test/deflate/deflate.test.ts', 'test/deflate/gradual.test.ts'],
  'src/deflate/zlib.ts': ['test/deflate/deflate.test.ts'],
  'src/connection/ending.ts': ['test/connection/held-end.test.ts', 'test/connection/closing.test.ts'],
}

/** The source files of an area; those of an `index.ts` only hand on what others have. */
export function sourcesOf(area: string): string[] {
  return areas[area].flatMap((path) => (path.endsWith('.ts') ? [path] : sourcesIn(path)))
}

function sourcesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'index.ts')
  return names.toSorted().map((name) => `${folder}/${name}`)
}

/** The tests that mirror a source: few, so that a mutant is judged in a second. */
export function testsOf(source: string): string[] {
  const mirror = source.replace(/^src(.*)\.ts$/, 'test$1.test.ts')
  return [...(existsSync(mirror) ? [mirror] : []), ...(MORE_TESTS[source] ?? [])]
}
