/** Colours: a few styles of `util.styleText`, or none where nobody wants them. They add nothing that the words do not say. */
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan'

export type Paint = (style: Style, text: string) => string

export function painter(colors: boolean): Paint {
  // Whoever calls knows where the text goes, and Node would look at standard output.
  return (style, text) => (colors && text !== '' ? styleText(style, text, { validateStream: false }) : text)
}
