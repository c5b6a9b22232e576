/**
 * The reference of the API, as HTML in docs/api, made from the comments of what `exports` exports. A name without a comment, a
 * link that leads nowhere, and a type that is used and not exported are errors.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from './support/command.ts'
import { installPackages } from './support/packages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools = join(root, 'tools')
await installPackages(tools)
const typedoc = join(tools, 'node_modules/typedoc/bin/typedoc')
const args = [typedoc, '--options', join(tools, 'typedoc.json'), ...process.argv.slice(2)]
const { code } = await runCommand(process.execPath, args, { cwd: root, live: true })
process.exitCode = code
