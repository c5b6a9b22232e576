/**
 * Inspects the package as its users get it, in four questions, each of one or more checks.
 *
 * 1. Does the manifest keep its promise of no dependency and no script that runs at installation?
 * 2. Does the tarball hold what was built from `src`, the sources, the chat, and the named documents: nothing else and nothing
 *    less?
 * 3. Does every source map lead to a source that is in the tarball?
 * 4. What can a stranger do with the tarball (support/stranger.ts)?
 *
 * The last line is `N passed, N failed`.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { installPackages, packageVersion } from './support/packages.ts'
import { useAsStranger } from './support/stranger.ts'
import type { Check, Compiler } from './support/stranger.ts'

export interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** Fields that would make somebody else's code run beside ours, and scripts that would run on a user's machine. */
const dependencyFields = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'bundleDependencies',
  'bundledDependencies',
]
const installScripts = ['preinstall', 'install', 'postinstall', 'preprepare', 'prepare', 'postprepare']

/** What every package carries beside `dist` and `src`. */
const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']

/** What the manifest does not keep of its promise; empty when it keeps it. */
export function inspectManifest(manifest: Manifest): string[] {
  const dependencies = dependencyFields
    .filter((field) => Object.keys(manifest[field] ?? {}).length > 0)
    .map((field) => `package.json has ${field}`)
  const scripts = installScripts
    .filter((script) => manifest.scripts?.[script] !== undefined)
    .map((script) => `package.json has the script ${script}, which runs at installation`)
  return [...dependencies, ...scripts]
}

/** The paths that a package made of the TypeScript files `sources` (such as `src/framing/mask.ts`) is meant to hold. */
export function intendedFiles(sources: readonly string[]): string[] {
  const built = sources.flatMap((source) => {
    const stem = source.replace(/^src\//, 'dist/').replace(/\.ts$/, '')
    return ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((ending) => stem + ending)
  })
  return [...documents, ...sources, ...built].toSorted()
}

/** The paths of the example that is built, too: what its `tsconfig.chat.json` names, where there is one, and its page. */
export async function exampleFiles(root: string): Promise<string[]> {
  const config = join(root, 'tsconfig.chat.json')
  if (!existsSync(config)) return []
  const { files } = JSON.parse(await readFile(config, 'utf8')) as { files: string[] }
  const page = await readdir(join(root, 'examples/chat/public'))
  return [
    ...files.map((path) => path.replace(/^examples\//, 'dist/').replace(/\.ts$/, '.js')),
    ...page.map((name) => `examples/chat/public/${name}`),
  ]
}

/** How the packed paths differ from the intended ones; empty when they do not. */
export function compareFiles(packed: readonly string[], intended: readonly string[]): string[] {
  const missing = intended.filter((path) => !packed.includes(path)).map((path) => `the package lacks ${path}`)
  const extra = packed.filter((path) => !intended.includes(path)).map((path) => `the package should not hold ${path}`)
  return [...missing, ...extra]
}

/** The sources that the map at `path`, whose text is `json`, names but `packed` does not hold. */
export function inspectMap(path: string, json: string, packed: readonly string[]): string[] {
  const { sources, sourceRoot } = JSON.parse(json) as { sources: string[]; sourceRoot?: string }
  return sources
    .map((source) => posix.join(posix.dirname(path), sourceRoot ?? '', source))
    .filter((source) => !packed.includes(source))
    .map((source) => `${path} leads to ${source}, which is not in the package`)
}

interface Listing {
  readonly filename: string
  /** Octets of the tarball. */
  readonly size: number
  /** Octets of the files in it. */
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string; readonly size: number }[]
}

/** What npm packs of the project at `root` into `folder`; it runs the build as publishing does. */
export async function pack(root: string, folder: string): Promise<Listing> {
  const args = ['pack', '--json', '--silent', '--pack-destination', folder]
  const { stdout } = await promisify(execFile)('npm', args, { cwd: root })
  const [listing] = JSON.parse(stdout) as [Listing]
  return listing
}

export interface Use {
  /** Those that the declarations have to work with. */
  readonly compilers: readonly Compiler[]
  /** The path of a program that uses the package, and prints `ok`. */
  readonly program: string
}

/** Every check of the package at `root`. */
export async function inspectPackage(root: string, { compilers, program }: Use): Promise<Check[]> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  const folder = await mkdtemp(join(tmpdir(), 'fullduplex-package-'))
  try {
    const { filename, files } = await pack(root, folder)
    const paths = files.map((file) => file.path)
    const sources = (await readdir(join(root, 'src'), { recursive: true }))
      .filter((path) => path.endsWith('.ts'))
      .map((path) => posix.join('src', path.replaceAll(sep, '/')))
    const intended = [...intendedFiles(sources), ...(await exampleFiles(root))]
    const maps: string[] = []
    for (const path of paths.filter((each) => each.endsWith('.map'))) {
      maps.push(...inspectMap(path, await readFile(join(root, path), 'utf8'), paths))
    }
    const project = join(folder, 'project')
    await mkdir(project)
    const types = join(root, 'node_modules/@types')
    return [
      { name: 'depends on nothing, and runs nothing at installation', problems: inspectManifest(manifest) },
      { name: 'holds what it is meant to hold', problems: compareFiles(paths, intended) },
      { name: 'brings the source of each source map', problems: maps },
      ...(await useAsStranger({
        ...manifest,
        tarball: join(folder, filename),
        folder: project,
        types,
        compilers,
        program,
      })),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The TypeScript `name` in `modules`. */
export async function compilerIn(modules: string, name = 'typescript'): Promise<Compiler> {
  return { version: await packageVersion(modules, name), tsc: join(modules, name, 'bin/tsc') }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const tools = join(root, 'tools')
  await installPackages(tools)
  const checks = await inspectPackage(root, {
    compilers: [
      await compilerIn(join(root, 'node_modules')),
      await compilerIn(join(tools, 'node_modules'), 'typescript-oldest'),
    ],
    program: join(root, 'examples/echo.ts'),
  })
  for (const { name, problems } of checks) {
    console.log([`${problems.length === 0 ? 'ok  ' : 'FAIL'}  ${name}`, ...problems].join('\n'))
  }
  const failed = checks.filter(({ problems }) => problems.length > 0).length
  console.log(`\n${checks.length - failed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}
