/** All cases, in the order of their numbers. */
import type { Case } from '../case.ts'
import { answers } from './answers.ts'
import { bombs } from './bombs.ts'
import { brokenDeflate } from './broken.ts'
import { closing } from './closing.ts'
import { codes } from './codes.ts'
import { commands } from './commands.ts'
import { compression } from './compression.ts'
import { control } from './control.ts'
import { deflate } from './deflate.ts'
import { fragmentation } from './fragmentation.ts'
import { framing } from './framing.ts'
import { lengths } from './lengths.ts'
import { limits } from './limits.ts'
import { masking } from './masking.ts'
import { patience } from './patience.ts'
import { pressure } from './pressure.ts'
import { requests } from './requests.ts'
import { reserved } from './reserved.ts'
import { utf8 } from './utf8.ts'

/** Every case, in the order of their numbers. */
export const cases: readonly Case[] = [
  ...framing,
  ...control,
  ...reserved,
  ...fragmentation,
  ...utf8,
  ...closing,
  ...limits,
  ...deflate,
  ...requests,
  ...answers,
  ...masking,
  ...lengths,
  ...compression,
  ...brokenDeflate,
  ...bombs,
  ...commands,
  ...codes,
  ...pressure,
  ...patience,
]
