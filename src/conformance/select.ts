/** Which cases run: by the prefixes of their numbers, and by the role of the peer. */
import { invalidValue } from '../errors.ts'
import type { Case, Role } from './case.ts'

/** Which cases are wanted. */
export interface Selection {
  /** Prefixes of numbers: `6.4` means 6.4.1 and all of its kind, `1` means section 1 but not 10. Default: all. */
  readonly only?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** The role of the peer under test. Default: either. */
  readonly peer?: Role | undefined
}

/** Throws a `RangeError` for a prefix that no case has, in either role, since that is nearly always a slip. */
export function selectCases(cases: readonly Case[], { only, exclude = [], peer }: Selection): readonly Case[] {
  for (const prefix of [...(only ?? []), ...exclude]) {
    if (cases.some(({ id }) => hasPrefix(id, prefix))) continue
    throw invalidValue(
      'ERR_WS_INVALID_OPTION',
      `There is no case ${JSON.stringify(prefix)}; give a number such as 6.4.1, 6.4 or 6`,
    )
  }
  return cases.filter(
    ({ id, peer: role = peer }) =>
      (peer === undefined || role === peer) &&
      (only === undefined || only.some((prefix) => hasPrefix(id, prefix))) &&
      !exclude.some((prefix) => hasPrefix(id, prefix)),
  )
}

function hasPrefix(id: string, prefix: string): boolean {
  return id === prefix || id.startsWith(`${prefix}.`)
}
