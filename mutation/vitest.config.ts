/** As vitest.config.ts of the project, but with the tests of one source alone, which `main.ts` names. */
import { defineConfig } from 'vitest/config'
import project from '../vitest.config.ts'

const include = (process.env['MUTATION_TESTS'] ?? '').split(',')

// A test that waits for what a mutant never does is not to wait for long.
export default defineConfig({ ...project, test: { ...project.test, include, testTimeout: 8000 } })
