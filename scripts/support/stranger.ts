/**
 * What a stranger does with the package, in projects that hold nothing but it: installs the tarball without a network, imports
 * and requires every entry of `exports`, compiles against its types as a project of each kind does, runs a program in every module
 * system, bundles it, and calls the package's own programs. Each is a check of its own.
 */
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { build } from 'esbuild'
import type { BuildFailure } from 'esbuild'
import { smoke } from '../smoke.ts'
import { runCommand } from './command.ts'
import type { CommandResult } from './command.ts'

export interface Check {
  /** A sentence that is true when nothing is wrong. */
  readonly name: string
  /** What is wrong; empty when nothing is. */
  readonly problems: readonly string[]
}

/** A TypeScript that the declarations have to work with. */
export interface Compiler {
  readonly version: string
  /** The path of its `tsc`, to be run by Node. */
  readonly tsc: string
}

export interface Stranger {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
  readonly tarball: string
  /** An empty folder to work in. */
  readonly folder: string
  /** Where `@types/node` is, which a TypeScript project has anyway, and npm has no network here to bring. */
  readonly types: string
  /** The first one also compiles the program that is run. */
  readonly compilers: readonly Compiler[]
  /** The path of a program in TypeScript that uses the package by its name, and prints `ok` when it could. */
  readonly program: string
}

/** The checks, one after another; when it cannot even be installed, there is only one. */
export async function useAsStranger(stranger: Stranger): Promise<Check[]> {
  const installed = await install(stranger)
  if (installed.problems.length > 0) return [installed]
  return [
    installed,
    ...(await importEntries(stranger)),
    ...(await compile(stranger)),
    ...(await runProgram(stranger)),
    ...(await runBins(stranger)),
  ]
}

/** A project of each kind: what TypeScript is told, and whether its package.json says `module`. */
const KINDS = [
  { name: 'nodenext, ES modules', folder: 'esm', type: 'module', args: ['--module', 'nodenext'] },
  { name: 'nodenext, CommonJS', folder: 'commonjs', type: 'commonjs', args: ['--module', 'nodenext'] },
  {
    name: 'bundler',
    folder: 'bundler',
    type: 'module',
    args: ['--module', 'esnext', '--moduleResolution', 'bundler'],
  },
] as const

/** The first TypeScript that lets CommonJS require ES modules, as Node does since 20.19. */
const REQUIRES_ESM = [5, 8]

const STRICT = ['--strict', '--skipLibCheck', 'false', '--target', 'ES2022', '--types', 'node']

function entriesOf({ name, exports }: Stranger): string[] {
  return Object.keys(exports)
    .filter((entry) => !entry.endsWith('.json'))
    .map((entry) => posix.join(name, entry))
}

/** One installation; what is required in the folders below it is found there. */
async function install(stranger: Stranger): Promise<Check> {
  const { folder, tarball, types, program } = stranger
  const everything = entriesOf(stranger).map((entry, at) => `import * as entry${at} from '${entry}'\n`)
  const names = everything.map((_, at) => `entry${at}`)
  await writeFile(join(folder, 'package.json'), '{ "private": true }')
  for (const { folder: kind, type } of KINDS) {
    await mkdir(join(folder, kind))
    await writeFile(join(folder, kind, 'package.json'), `{ "type": "${type}" }`)
    await writeFile(join(folder, kind, 'everything.ts'), `${everything.join('')}console.log(${names.join(', ')})\n`)
    await copyFile(program, join(folder, kind, 'program.ts'))
  }
  const npm = ['install', '--offline', '--no-audit', '--no-fund', tarball]
  const installed = check('installs in an empty project, without a network', await run(folder, 'npm', npm))
  await mkdir(join(folder, 'node_modules'), { recursive: true })
  await symlink(types, join(folder, 'node_modules/@types'))
  return installed
}

/** Without a word of Node's, which warns of what it finds experimental. */
async function importEntries(stranger: Stranger): Promise<Check[]> {
  const checks: Check[] = []
  const node = (type: string, source: string): Promise<Ran> =>
    run(stranger.folder, process.execPath, ['--throw-deprecation', `--input-type=${type}`, '-e', source])
  for (const entry of entriesOf(stranger)) {
    checks.push(prints(/^$/, `import '${entry}'`, await node('module', `import '${entry}'`)))
    checks.push(prints(/^$/, `require('${entry}')`, await node('commonjs', `require('${entry}')`)))
  }
  const modules = entriesOf(stranger).map((entry) => `[require('${entry}'), import('${entry}')]`)
  const compare = `for (const [one, other] of [${modules.join(', ')}]) other.then((it) => assert.equal(one, it))`
  checks.push(prints(/^$/, 'require() and import() give the same modules', await node('commonjs', compare)))
  return checks
}

async function compile({ folder, compilers }: Stranger): Promise<Check[]> {
  const checks: Check[] = []
  for (const { version, tsc } of compilers) {
    for (const { name, folder: kind, type, args } of KINDS) {
      if (type === 'commonjs' && isBefore(version, REQUIRES_ESM)) continue
      for (const exact of ['true', 'false']) {
        const options = [
          ...STRICT,
          ...args,
          '--exactOptionalPropertyTypes',
          exact,
          '--noEmit',
          'everything.ts',
          'program.ts',
        ]
        const result = await run(join(folder, kind), process.execPath, [tsc, ...options])
        checks.push(check(`compiles with TypeScript ${version}, ${name}, exactOptionalPropertyTypes ${exact}`, result))
      }
    }
  }
  return checks
}

function isBefore(version: string, [major, minor]: readonly number[]): boolean {
  const [ownMajor, ownMinor] = version.split('.').map(Number)
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}

/** What TypeScript makes of the program in each module system, by itself and in a bundle. */
async function runProgram({ folder, compilers }: Stranger): Promise<Check[]> {
  const checks: Check[] = []
  const [{ tsc }] = compilers
  for (const { name, folder: kind, type, args } of KINDS.slice(0, 2)) {
    const project = join(folder, kind)
    await run(project, process.execPath, [tsc, ...STRICT, ...args, '--outDir', 'out', 'program.ts'])
    const ran = await run(project, process.execPath, ['--throw-deprecation', 'out/program.js'])
    checks.push(prints(/^ok\n$/, `the program runs: ${name}`, ran))
    checks.push(await runBundle(folder, type === 'module' ? 'esm' : 'cjs'))
  }
  return checks
}

async function runBundle(folder: string, format: 'esm' | 'cjs'): Promise<Check> {
  const name = `the program runs: bundled, ${format}`
  const outfile = join(folder, format === 'esm' ? 'bundled.mjs' : 'bundled.cjs')
  const { errors, warnings } = await build({
    entryPoints: [join(folder, 'esm/program.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format,
    logLevel: 'silent',
  }).catch((failure: unknown) => failure as BuildFailure)
  const faults = [...errors, ...warnings].map(({ text }) => text)
  if (faults.length > 0) return { name, problems: faults }
  return prints(/^ok\n$/, name, await run(folder, process.execPath, [outfile]))
}

/** Calls that need nothing but the program itself. */
const BIN_CALLS = [['--version'], ['--help'], ['inspect', '--hex', '8105 48656c6c6f'], ['conform', '--list']]

async function runBins({ folder, bin = {} }: Stranger): Promise<Check[]> {
  const checks: Check[] = []
  for (const name of Object.keys(bin)) {
    for (const args of BIN_CALLS) {
      const ran = await run(folder, 'npx', ['--offline', name, ...args])
      checks.push(prints(/\S/, `npx ${name} ${args.join(' ')}`, ran))
    }
    checks.push(await openChat(folder, name))
  }
  return checks
}

/** The chat is built apart from all else, and has to find its page. */
async function openChat(folder: string, bin: string): Promise<Check> {
  const command = [join(folder, 'node_modules/.bin', bin), 'chat', '--port', '0'] as const
  const name = `npx ${bin} chat serves its page`
  try {
    await smoke({ command, cwd: folder, resourceName: '/chat', timeout: 30_000 })
    return { name, problems: [] }
  } catch (error) {
    return { name, problems: [(error as Error).message] }
  }
}

interface Ran extends CommandResult {
  readonly command: string
}

async function run(cwd: string, command: string, args: readonly string[]): Promise<Ran> {
  return { ...(await runCommand(command, args, { cwd })), command: [command, ...args].join(' ') }
}

function check(name: string, { code, output, command }: Ran): Check {
  return { name, problems: code === 0 ? [] : [`\`${command}\` exits with ${code}:\n${output.trim()}`] }
}

/** It succeeds, and prints what is expected. */
function prints(expected: RegExp, name: string, ran: Ran): Check {
  const checked = check(name, ran)
  if (checked.problems.length > 0 || expected.test(ran.output)) return checked
  return { name, problems: [`\`${ran.command}\` should print ${expected.source}, but prints:\n${ran.output.trim()}`] }
}
