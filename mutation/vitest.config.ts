/** As vitest.config.ts of the project, but with the tests of one source alone, which `main.ts` names. */
import { defineConfig } from 'vitest/config'
import project from '../vitest.config.ts'

const include = (process.env['MUTATION_TESTS'] ?? '').split(',')

export default defineConfig({ ...project, test: { ...project.test, include } })
