/** Styles, wanted and not. */
import { expect, it } from 'vitest'
import { painter } from '../../src/cli/style.ts'

it('painter puts a style around text, and switches nothing else off', () => {
  const paint = painter(true)
  expect(paint('red', 'no')).toBe('\u{1b}[31mno\u{1b}[39m')
  expect(paint('bold', paint('cyan', 'both'))).toBe('\u{1b}[1m\u{1b}[36mboth\u{1b}[39m\u{1b}[22m')
  expect(paint('dim', '')).toBe('')
})

it('painter leaves text alone where nobody wants colours', () => {
  expect(painter(false)('red', 'no')).toBe('no')
})
