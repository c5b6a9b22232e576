/** When commands write colours. */
import { describe, expect, it } from 'vitest'
import { wantsColors } from '../../src/cli/io.ts'
import { Recorder } from './support.ts'

const terminal = new Recorder(80)
const pipe = new Recorder()

describe('wantsColors', () => {
  it.each([
    [true, 'a terminal', terminal, {}],
    [false, 'a pipe', pipe, {}],
    [false, 'a terminal without them', terminal, { TERM: 'dumb' }],
    [false, 'a terminal with NO_COLOR', terminal, { NO_COLOR: '1' }],
    [true, 'a terminal with an empty NO_COLOR', terminal, { NO_COLOR: '' }],
    [true, 'a pipe with FORCE_COLOR', pipe, { FORCE_COLOR: '1' }],
    [true, 'a pipe with an empty FORCE_COLOR', pipe, { FORCE_COLOR: '' }],
    [true, 'FORCE_COLOR beside NO_COLOR', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }],
    [false, 'FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }],
    [false, 'FORCE_COLOR=false', terminal, { FORCE_COLOR: 'false' }],
  ])('is %s for %s', (wanted, _, output, env) => {
    expect(wantsColors(output, env)).toBe(wanted)
  })
})
