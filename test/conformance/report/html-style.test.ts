/** Whether the report can be read: the contrast of its colours (WCAG 2.2, 1.4.3), light and dark. */
import { describe, expect, it } from 'vitest'
import { STYLE } from '../../../src/conformance/report/html-style.ts'

/** The custom properties of one `:root` block, by their names. */
function palette(block: string): Map<string, string> {
  return new Map([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map(([, name, color]) => [name, color]))
}

const dark = STYLE.indexOf('@media screen and (prefers-color-scheme: dark)')
const SCHEMES = {
  light: palette(STYLE.slice(0, dark)),
  dark: palette(STYLE.slice(dark, STYLE.indexOf('* { box-sizing'))),
}

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [high, low] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return (high + 0.05) / (low + 0.05)
}

describe.each(['light', 'dark'] as const)('The %s colours', (name) => {
  const colors = SCHEMES[name]
  const color = (property: string) => colors.get(property) ?? 'missing'

  it.each(['ink', 'soft', 'link', 'ok', 'non-strict', 'informational', 'unimplemented', 'failed'])(
    'let %s be read on every ground',
    (text) => {
      for (const ground of ['paper', 'panel', 'raised']) {
        expect(contrast(color(text), color(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5)
      }
    },
  )

  it.each(['first', 'second', 'key', 'payload', 'body'])('let octets be read on the colour of %s', (part) => {
    expect(contrast(color('ink'), color(part))).toBeGreaterThanOrEqual(4.5)
  })

  it('let bars be seen', () => {
    for (const fill of ['ok-fill', 'non-strict-fill', 'informational-fill', 'unimplemented-fill', 'failed-fill']) {
      expect(contrast(color(fill), color('paper')), fill).toBeGreaterThanOrEqual(2)
    }
  })
})
