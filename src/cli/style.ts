/** Colours: a few ANSI styles, or none where nobody wants them. They add nothing that the words do not say. */

const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const

export type Style = keyof typeof STYLES

export type Paint = (style: Style, text: string) => string

export function painter(colors: boolean): Paint {
  return (style, text) => {
    const [on, off] = STYLES[style]
    return colors && text !== '' ? `\u{1b}[${on}m${text}\u{1b}[${off}m` : text
  }
}
