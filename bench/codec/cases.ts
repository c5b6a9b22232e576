/** All cases, in the order of the tables. */
import type { Case } from './case.ts'
import { deflateCases } from './deflate.ts'
import { headerCases } from './header.ts'
import { maskingCases } from './masking.ts'
import { messageCases } from './messages.ts'
import { openingCases } from './opening.ts'
import type { Ours, Ws } from './parts.ts'
import { sendingCases } from './sending.ts'
import { textCases } from './text.ts'

export async function codecCases(ours: Ours, ws: Ws): Promise<Case[]> {
  return [
    ...headerCases(ours, ws),
    ...maskingCases(ours, ws),
    ...textCases(ours, ws),
    ...messageCases(ours, ws),
    ...sendingCases(ours, ws),
    ...openingCases(ours),
    ...(await deflateCases(ours, ws)),
  ]
}
