/**
 * The arrow of imports, proved on the linter's own configuration. The tests write a small tree of rooms to a temporary folder
 * beside a copy of `.oxlintrc.json`, one file for each planted import, and lint it: a forbidden import must be reported in the
 * very file that makes it, a legal one must pass. So the linter cannot lose a rule, a folder or a way to write an import
 * without a test that fails.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** What each room may import besides its own files and errors. */
const below: Readonly<Record<string, readonly string[]>> = {
  framing: [],
  handshake: [],
  deflate: ['framing', 'handshake'],
  connection: ['framing', 'handshake', 'deflate'],
  server: ['framing', 'handshake', 'deflate', 'connection'],
  client: ['framing', 'handshake', 'deflate', 'connection'],
  tap: ['framing', 'handshake', 'deflate', 'connection'],
}
const rooms = Object.keys(below)

/** The only builtins of the rooms that are not free to import them all. */
const allowedBuiltins: Readonly<Record<string, readonly string[]>> = {
  framing: ['node:buffer', 'node:crypto'],
  handshake: ['node:buffer', 'node:crypto'],
  deflate: ['node:buffer', 'node:zlib'],
}

/** Newer ones, such as node:test, have no name without the prefix; since Node 24 they are listed, too. */
const builtins = builtinModules.filter((name) => !/^_|^node:/.test(name)).map((name) => `node:${name}`)
/** All but the one that makes a `require`, and with it a way around the linter. */
const freeBuiltins = builtins.filter((name) => name !== 'node:module')
const notSansIo = [
  ...['net', 'tls', 'http', 'https', 'http2', 'dgram', 'dns', 'fs', 'fs/promises', 'stream', 'stream/web', 'events'],
  ...['timers', 'timers/promises', 'child_process', 'worker_threads'],
].map((name) => `node:${name}`)
const npmPackages = ['ws', 'left-pad', '@scope/package', 'undici/types', 'fullduplex', 'fullduplex/framing', '#alias']

interface Finding {
  readonly code: string
  readonly filename: string
}

/** Lints `files` (path to content) in a folder of their own, with the project's configuration. */
function lint(files: ReadonlyMap<string, string>): { status: number | null; findings: readonly Finding[] } {
  const folder = mkdtempSync(join(tmpdir(), 'fullduplex-arrow-'))
  try {
    copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
    for (const [path, content] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content)
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint')
    const run = spawnSync(process.execPath, [oxlint, '--format', 'json'], { cwd: folder, encoding: 'utf8' })
    const findings = (JSON.parse(run.stdout) as { diagnostics: Finding[] }).diagnostics
    return { status: run.status, findings }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Everything planted by the tests below, linted in one go before the first of them. */
const planted = new Map<string, string>()
let report: ReturnType<typeof lint> = { status: null, findings: [] }
beforeAll(() => {
  report = lint(planted)
})

/**
 * Plants each of `sources` as a file of `folder`, and returns a function for the test: those among them which `rule` does not
 * report. None should be.
 */
function plant(rule: string, folder: string, sources: readonly string[]): () => string[] {
  const paths = sources.map((source) => {
    const path = `${folder}/planted-${planted.size}.ts`
    planted.set(path, source)
    return path
  })
  return () => {
    expect(report.status).toBe(1)
    const reported = new Set(report.findings.filter(({ code }) => code === rule).map(({ filename }) => filename))
    return sources.filter((_, at) => !reported.has(paths[at]))
  }
}

/** A file that imports `specifier` and passes every rule that is not about where imports go. */
function importing(specifier: string): string {
  return `import { imported } from '${specifier}'\n\nexport const own = imported\n`
}

const imports = 'eslint(no-restricted-imports)'

describe('the arrow of imports', () => {
  it('lets every room import itself, errors and the rooms below it, and the index every room', () => {
    const files = new Map([['src/errors.ts', 'export const imported = 1\n']])
    for (const room of rooms) {
      files.set(`src/${room}/index.ts`, "export { imported } from '../errors.ts'\n")
      const known = ['./index.ts', '../errors.ts', ...below[room].map((name) => `../${name}/index.ts`)]
      for (const [at, specifier] of known.entries()) files.set(`src/${room}/file-${at}.ts`, importing(specifier))
      const builtin = (allowedBuiltins[room] ?? freeBuiltins).entries()
      for (const [at, name] of builtin) files.set(`src/${room}/builtin-${at}.ts`, importing(name))
    }
    const paths = ['errors.ts', ...rooms.map((room) => `${room}/index.ts`)]
    files.set('src/index.ts', paths.map((path) => `export * from './${path}'\n`).join(''))
    expect(lint(files)).toEqual({ status: 0, findings: [] })
  })

  for (const room of rooms) {
    const others = rooms.filter((other) => other !== room && !below[room].includes(other))
    const specifiers = [...others.map((other) => `../${other}/index.ts`), '../index.ts', `../${room}/index.ts`]
    const missed = plant(imports, `src/${room}`, specifiers.map(importing))
    it(`lets ${room} import no other room and not the index`, () => expect(missed()).toEqual([]))
  }

  for (const room of rooms) {
    const forbidden = builtins.filter((name) => !(allowedBuiltins[room] ?? freeBuiltins).includes(name))
    const specifiers = [...forbidden, ...builtins.map((name) => name.slice('node:'.length))]
    const missed = plant(imports, `src/${room}`, specifiers.map(importing))
    it(`lets ${room} import no builtin but its own, and none without its prefix`, () => {
      expect(missed()).toEqual([])
      expect(forbidden).toEqual(expect.arrayContaining(room in allowedBuiltins ? notSansIo : ['node:module']))
    })
  }

  for (const room of rooms) {
    const specifiers = [...npmPackages, '../../test/support/wire.ts', '/etc/module.ts', 'https://host/module.ts']
    const missed = plant(imports, `src/${room}`, specifiers.map(importing))
    it(`lets ${room} import no npm package, no alias and nothing outside of src`, () => expect(missed()).toEqual([]))
  }

  const missedInIndex = plant(imports, 'src', [...npmPackages, 'node:module', '../test/support/wire.ts'].map(importing))
  it('lets the index import no npm package and nothing outside of src', () => expect(missedInIndex()).toEqual([]))

  const missedInNewcomer = plant(imports, 'src/newcomer', [importing('../framing/index.ts')])
  it('lets a folder that the configuration does not know import no room', () => expect(missedInNewcomer()).toEqual([]))

  it('lets errors import nothing at all', () => {
    const specifiers = ['./index.ts', './framing/index.ts', 'node:crypto', 'ws']
    const source = specifiers.map((specifier, at) => `export { one as one${at} } from '${specifier}'\n`).join('')
    const { status, findings } = lint(new Map([['src/errors.ts', source]]))
    expect(status).toBe(1)
    expect(findings.map((finding) => finding.code)).toEqual(specifiers.map(() => imports))
  })

  const missedWays = [
    plant(imports, 'src/framing', [
      "import net from 'node:net'\n\nexport const own = net\n",
      "import * as net from 'node:net'\n\nexport const own = net\n",
      "import type { Socket } from 'node:net'\n\nexport type Own = Socket\n",
      "import 'node:net'\n",
      "export * from 'node:net'\n",
      "export { Socket } from 'node:net'\n",
      "export type { Socket } from 'node:net'\n",
      "export const own = import('node:net')\n",
    ]),
    plant('typescript(consistent-type-imports)', 'src/framing', [
      "export type Own = import('node:net').Socket\n",
      "export type Own = typeof import('node:net')\n",
    ]),
    plant('import(no-dynamic-require)', 'src/framing', [
      'export const own = (name: string): unknown => import(name)\n',
    ]),
    plant('typescript(no-require-imports)', 'src/server', ["export const own: unknown = require('node:net')\n"]),
  ]
  it('holds for every way to write an import', () => {
    expect(missedWays.flatMap((missed) => missed())).toEqual([])
  })

  it('lets no file import itself by way of others', () => {
    const cycle = new Map([
      ['src/framing/one.ts', "import { two } from './two.ts'\n\nexport const one = (): number => two()\n"],
      ['src/framing/two.ts', "import { three } from './three.ts'\n\nexport const two = (): number => three()\n"],
      ['src/framing/three.ts', "import { one } from './one.ts'\n\nexport const three = (): number => one()\n"],
    ])
    const { status, findings } = lint(cycle)
    expect(status).toBe(1)
    const found = findings.map(({ code, filename }) => `${filename} ${code}`)
    expect(found.toSorted()).toEqual([...cycle.keys()].map((path) => `${path} import(no-cycle)`).toSorted())
  })
})

describe('the rooms without input and output', () => {
  const uses = [
    'setTimeout(own, 1)',
    'setInterval(own, 1)',
    'setImmediate(own)',
    'queueMicrotask(own)',
    'process.nextTick(own)',
    "fetch('http://localhost/')",
    'Promise.resolve()',
    'new EventTarget()',
    'globalThis.setTimeout(own, 1)',
    'global.setInterval(own, 1)',
  ]
  for (const room of ['framing', 'handshake']) {
    const sources = uses.map((use) => `export const own = (): unknown => ${use}\n`)
    const missed = plant('eslint(no-restricted-globals)', `src/${room}`, sources)
    const missedAsync = plant('oxc(no-async-await)', `src/${room}`, ['export async function own() {}\n'])
    it(`leave ${room} no timer, no task queue, no promise, no network and no process`, () => {
      expect([...missed(), ...missedAsync()]).toEqual([])
    })
  }
})

describe('the linter', () => {
  const comments = [
    'eslint-disable-next-line eqeqeq',
    'oxlint-disable-next-line eqeqeq',
    'v8 ignore next',
    'TODO: later',
  ]
  const missed = plant(
    'eslint(no-warning-comments)',
    'src/framing',
    comments.map((comment) => `// ${comment}\nexport const own = (a: unknown): boolean => a == 1\n`),
  )
  it('lets no comment hide a finding or put work off', () => expect(missed()).toEqual([]))

  it('is not switched off for a whole file, which it could not report', () => {
    const folders = ['src', 'test', 'scripts', 'examples', 'bench', 'load', 'fuzz']
    const files = folders.flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((path) => /\.[jt]s$/.test(path) && !path.includes('node_modules'))
        .map((path) => join(folder, path)),
    )
    expect(files.length).toBeGreaterThan(10)
    const silenced = files.filter((path) => /\/[/*]\s*(es|ox)lint-/.test(readFileSync(join(root, path), 'utf8')))
    expect(silenced).toEqual([])
  })
})
