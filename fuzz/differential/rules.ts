/**
 * The differences that are known, each with the reason why it is no mistake of ours. A rule looks at what the stream is made
 * of at the place where the verdicts part, and only then at the verdicts.
 */
import type { Rule } from './compare.ts'
import { compressedRules } from './rules/compressed.ts'
import { contentRules } from './rules/content.ts'
import { headerRules } from './rules/headers.ts'

export const rules: readonly Rule[] = [...headerRules, ...contentRules, ...compressedRules]
