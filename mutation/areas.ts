/** What is mutated, and which tests have to notice. */

export interface Area {
  /** Files or folders of sources. */
  readonly sources: readonly string[]
  /** Files or folders of tests: those that mirror the sources, so that a mutant is judged in a second. */
  readonly tests: readonly string[]
}

export const areas: Readonly<Record<string, Area>> = {
  framing: { sources: ['src/framing'], tests: ['test/framing'] },
  handshake: { sources: ['src/handshake'], tests: ['test/handshake'] },
  deflate: { sources: ['src/deflate'], tests: ['test/deflate'] },
  closing: {
    sources: ['src/connection/closing.ts', 'src/connection/ending.ts'],
    tests: ['closing', 'connection', 'ending', 'held-end'].map((name) => `test/connection/${name}.test.ts`),
  },
  limits: {
    sources: [
      'src/connection/heartbeat.ts',
      'src/connection/options.ts',
      'src/connection/output.ts',
      'src/server/gate.ts',
      'src/server/openings.ts',
    ],
    tests: [
      ...['heartbeat', 'options', 'output', 'pressure'].map((name) => `test/connection/${name}.test.ts`),
      ...['gate', 'opening', 'options', 'server'].map((name) => `test/server/${name}.test.ts`),
    ],
  },
}

/** The area of a source file, by name. */
export function areaOf(file: string): string | undefined {
  return Object.keys(areas).find((name) => areas[name].sources.some((source) => isWithin(file, source)))
}

function isWithin(file: string, source: string): boolean {
  return file === source || file.startsWith(`${source}/`)
}

/** Patterns of what belongs to files and folders. */
export function patterns(paths: readonly string[], everyOne: string): string[] {
  return paths.map((path) => (path.endsWith('.ts') ? path : `${path}/${everyOne}`))
}
