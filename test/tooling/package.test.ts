/**
 * The inspection of the package: each promise broken once, and a whole small package that is built, packed, installed and used
 * without a network.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  compareFiles,
  compilerIn,
  inspectManifest,
  inspectMap,
  inspectPackage,
  intendedFiles,
} from '../../scripts/package.ts'

describe('inspectManifest', () => {
  const manifest = { name: 'fullduplex', exports: {}, scripts: { build: 'tsc', prepack: 'npm run build' } }

  it('accepts empty dependency fields and scripts that do not run at installation', () => {
    expect(inspectManifest({ ...manifest, dependencies: {}, devDependencies: { vitest: '^4' } })).toEqual([])
  })

  it.each(['dependencies', 'optionalDependencies', 'peerDependencies'])('refuses %s', (field) => {
    expect(inspectManifest({ ...manifest, [field]: { ws: '^8' } })).toEqual([`package.json has ${field}`])
  })

  it('refuses bundled dependencies', () => {
    expect(inspectManifest({ ...manifest, bundleDependencies: ['ws'] })).toEqual([
      'package.json has bundleDependencies',
    ])
  })

  it.each(['preinstall', 'install', 'postinstall', 'prepare'])('refuses the script %s', (script) => {
    expect(inspectManifest({ ...manifest, scripts: { [script]: 'node x.js' } })).toEqual([
      `package.json has the script ${script}, which runs at installation`,
    ])
  })
})

describe('the files of the package', () => {
  it('are the documents, the sources, and four built files for each source', () => {
    expect(intendedFiles(['src/framing/mask.ts'])).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist/framing/mask.d.ts',
      'dist/framing/mask.d.ts.map',
      'dist/framing/mask.js',
      'dist/framing/mask.js.map',
      'package.json',
      'src/framing/mask.ts',
    ])
  })

  it('are reported one by one when they are missing or unintended', () => {
    expect(compareFiles(['a', 'b'], ['b', 'a'])).toEqual([])
    expect(compareFiles(['a', 'extra'], ['a', 'missing'])).toEqual([
      'the package lacks missing',
      'the package should not hold extra',
    ])
  })
})

describe('inspectMap', () => {
  const map = JSON.stringify({ version: 3, sourceRoot: '', sources: ['../../src/framing/mask.ts'] })

  it('accepts a map whose sources are in the package', () => {
    expect(inspectMap('dist/framing/mask.js.map', map, ['src/framing/mask.ts'])).toEqual([])
  })

  it('reports a source that is not', () => {
    expect(inspectMap('dist/mask.js.map', map, ['src/framing/mask.ts'])).toEqual([
      'dist/mask.js.map leads to ../src/framing/mask.ts, which is not in the package',
    ])
  })
})

describe('inspectPackage', () => {
  const project = fileURLToPath(new URL('../../', import.meta.url))

  /** A small package in a folder of its own, which is removed after the test; `core` is the source of its entry `./core`. */
  function createPackage(core: string, otherFiles: readonly string[], otherEntries: object = {}): string {
    const root = mkdtempSync(join(tmpdir(), 'fullduplex-package-test-'))
    onTestFinished(() => rmSync(root, { recursive: true, force: true }))
    const manifest = {
      name: 'small',
      version: '1.0.0',
      type: 'module',
      files: ['dist', 'src', 'CHANGELOG.md', 'SECURITY.md'],
      exports: {
        '.': { types: './dist/index.d.ts', default: './dist/index.js' },
        './core': { types: './dist/core/index.d.ts', default: './dist/core/index.js' },
        ...otherEntries,
        './package.json': './package.json',
      },
      scripts: { prepack: 'tsc -p tsconfig.build.json' },
    }
    mkdirSync(join(root, 'src/core'), { recursive: true })
    writeFileSync(join(root, 'src/index.ts'), "export { one } from './core/index.ts'\n")
    writeFileSync(join(root, 'src/core/index.ts'), core)
    writeFileSync(join(root, 'package.json'), JSON.stringify(manifest))
    for (const name of otherFiles) writeFileSync(join(root, name), '')
    for (const name of ['tsconfig.json', 'tsconfig.build.json']) copyFileSync(join(project, name), join(root, name))
    symlinkSync(join(project, 'node_modules'), join(root, 'node_modules'))
    return root
  }

  /** What becomes of a package: the names of the checks that it passes, and what is wrong. */
  async function inspect(root: string, program: string): Promise<{ passed: string[]; problems: string[] }> {
    const path = join(root, 'program.ts')
    writeFileSync(path, program)
    const compilers = [await compilerIn(join(project, 'node_modules'))]
    const checks = await inspectPackage(root, { compilers, program: path })
    const passed = checks.filter(({ problems }) => problems.length === 0).map(({ name }) => name)
    return { passed, problems: checks.flatMap(({ problems }) => problems) }
  }

  const time = { timeout: 300_000 }

  it.concurrent('finds nothing wrong with a package that a stranger can use in every way', time, async () => {
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md']
    const root = createPackage('export const one: number = 1\n', documents)
    const { passed, problems } = await inspect(
      root,
      "import { one } from 'small'\n\nif (one === 1) console.log('ok')\n",
    )
    expect(problems).toEqual([])
    const version = expect.stringMatching(/^compiles with TypeScript /)
    const runs = ['nodenext, ES modules', 'bundled, esm', 'nodenext, CommonJS', 'bundled, cjs']
    expect(passed).toEqual([
      'depends on nothing, and runs nothing at installation',
      'holds what it is meant to hold',
      'brings the source of each source map',
      'installs in an empty project, without a network',
      "import 'small'",
      "require('small')",
      "import 'small/core'",
      "require('small/core')",
      'require() and import() give the same modules',
      ...Array.from({ length: 6 }, () => version),
      ...runs.map((how) => `the program runs: ${how}`),
    ])
  })

  it.concurrent('reports what is too much, what is too little, and what a stranger cannot do', time, async () => {
    const files = ['CHANGELOG.md', 'LICENSE', 'README.md', 'src/notes.txt']
    const absent = { './absent': { types: './dist/index.d.ts', default: './dist/absent.js' } }
    const root = createPackage('export const one: number = await Promise.resolve(1)\n', files, absent)
    const program = "import { one } from 'small'\n\nconst text: string = one\nconsole.log(text)\n"
    const { problems } = await inspect(root, program)
    const notRequired = expect.stringMatching(/^`.*require\('small.*exits with 1:\n[^]*ERR_REQUIRE_ASYNC_MODULE/)
    const wrongType = expect.stringMatching(/^`.*exits with \d:\n[^]*'number' is not assignable to type 'string'/)
    expect(problems).toEqual([
      'the package lacks SECURITY.md',
      'the package should not hold src/notes.txt',
      notRequired,
      notRequired,
      expect.stringMatching(/^`.*import 'small\/absent'` exits with 1:\n[^]*ERR_MODULE_NOT_FOUND/),
      expect.stringMatching(/^`.*require\('small\/absent'\)` exits with 1:\n[^]*MODULE_NOT_FOUND/),
      notRequired,
      ...Array.from({ length: 6 }, () => wrongType),
      expect.stringMatching(/^`.*` should print \^ok\\n\$, but prints:\n1$/),
      expect.stringMatching(/^`.*` should print \^ok\\n\$, but prints:\n1$/),
      expect.stringMatching(/^`.*program\.js` exits with 1:\n[^]*ERR_REQUIRE_ASYNC_MODULE/),
      expect.stringMatching(/^Top-level await .* "cjs"/),
    ])
  })
})
