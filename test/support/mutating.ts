/** Whether `npm run mutation` runs the tests: it would repeat those of millions of cases for each of hundreds of mutants. */
export const mutating = process.env['MUTATION_TESTS'] !== undefined
