/** As vitest.config.ts of the project, but with the tests of one area alone, which `main.ts` names. */
import { defineConfig } from 'vitest/config'
import project from '../vitest.config.ts'

const { MUTATION_TESTS: tests } = process.env

export default defineConfig({ ...project, test: { ...project.test, ...(tests && { include: tests.split(',') }) } })
