/**
 * Inspects the package as its users get it, in four questions.
 *
 * 1. Does the manifest keep its promise of no dependency and no script that runs at installation?
 * 2. Does the tarball hold what was built from `src`, the sources, the chat, and the named documents: nothing else and nothing
 *    less?
 * 3. Does every source map lead to a source that is in the tarball?
 * 4. Can a stranger install the tarball without a network, import every entry of `exports`, compile against its types, and
 *    run its programs?
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { smoke } from './smoke.ts'
import { runCommand } from './support/command.ts'

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

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

/** Packs the project at `root` into `folder`, which runs the build as publishing does. */
async function pack(root: string, folder: string): Promise<{ tarball: string; files: string[] }> {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--json', '--silent', '--pack-destination', folder], {
    cwd: root,
  })
  const [packed] = JSON.parse(stdout) as [Packed]
  return { tarball: join(folder, packed.filename), files: packed.files.map((file) => file.path) }
}

/** Calls that need nothing but the program itself. */
const BIN_CALLS = [['--version'], ['--help'], ['inspect', '--hex', '8105 48656c6c6f'], ['conform', '--list']]

/** Installs `tarball` into an empty project in `folder`, imports and compiles every entry of `exports`, and calls every `bin`. */
async function useAsStranger(manifest: Manifest, tarball: string, folder: string, root: string): Promise<string[]> {
  const entries = Object.keys(manifest.exports)
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry) => posix.join(manifest.name, entry))
  const project = join(folder, 'project')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  await writeFile(join(project, 'run.js'), entries.map((entry) => `import '${entry}'\n`).join(''))
  await writeFile(
    join(project, 'types.ts'),
    entries.map((entry, at) => `import * as entry${at} from '${entry}'\n\nconsole.log(entry${at})\n`).join('\n'),
  )
  const typescript = [
    'tsc',
    '--noEmit',
    '--strict',
    '--target',
    'ES2023',
    '--module',
    'NodeNext',
    '--types',
    'node',
    'types.ts',
  ]
  const commands = [
    ['npm', 'install', '--offline', '--no-audit', '--no-fund', tarball],
    ['node', '--throw-deprecation', 'run.js'],
    [join(root, 'node_modules/.bin', typescript[0]), ...typescript.slice(1)],
    ...Object.keys(manifest.bin ?? {}).flatMap((name) => BIN_CALLS.map((args) => ['npx', '--offline', name, ...args])),
  ]
  const problems: string[] = []
  for (const [command, ...args] of commands) {
    const { code, output } = await runCommand(command, args, { cwd: project })
    if (code !== 0) problems.push(`a new project fails at \`${[command, ...args].join(' ')}\`:\n${output.trim()}`)
    // npm has no network here to bring the types of Node, which a TypeScript project has anyway.
    if (command === 'npm') await symlink(join(root, 'node_modules/@types'), join(project, 'node_modules/@types'))
  }
  for (const name of Object.keys(manifest.bin ?? {})) problems.push(...(await openChat(name, project)))
  return problems
}

/** The chat is built apart from all else, and has to find its page. */
async function openChat(bin: string, project: string): Promise<string[]> {
  const command = [join(project, 'node_modules/.bin', bin), 'chat', '--port', '0'] as const
  try {
    await smoke({ command, cwd: project, resourceName: '/chat', timeout: 30_000 })
    return []
  } catch (error) {
    return [`a new project fails at \`${command.join(' ')}\`: ${(error as Error).message}`]
  }
}

/** Every problem of the package at `root`, as sentences; empty when there is none. */
export async function inspectPackage(root: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest
  const folder = await mkdtemp(join(tmpdir(), 'fullduplex-package-'))
  try {
    const { tarball, files } = await pack(root, folder)
    const sources = (await readdir(join(root, 'src'), { recursive: true }))
      .filter((path) => path.endsWith('.ts'))
      .map((path) => posix.join('src', path.replaceAll(sep, '/')))
    const intended = [...intendedFiles(sources), ...(await exampleFiles(root))]
    const problems = [...inspectManifest(manifest), ...compareFiles(files, intended)]
    for (const path of files.filter((file) => file.endsWith('.map'))) {
      problems.push(...inspectMap(path, await readFile(join(root, path), 'utf8'), files))
    }
    return [...problems, ...(await useAsStranger(manifest, tarball, folder, root))]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = await inspectPackage(fileURLToPath(new URL('..', import.meta.url)))
  for (const problem of problems) console.error(problem)
  process.exitCode = problems.length > 0 ? 1 : 0
}
