/**
 * HTML that cannot be broken from the wire: whatever is put into an `html` template is text, escaped and made visible, unless
 * it is `Markup` that another template made.
 */
import { visible } from './octets.ts'

export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | Markup | readonly Markup[]

/** A template: `` html`<b>${name}</b>` ``. */
export function html(literals: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let text = literals[0]
  for (const [at, value] of values.entries()) text += toText(value) + literals[at + 1]
  return new Markup(text)
}

function toText(value: Value): string {
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map((part) => part.text).join('')
  return escapeHtml(visible(String(value)))
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

/** Safe in text and in quoted attributes. */
export function escapeHtml(text: string): string {
  let safe = ''
  for (const character of text) safe += ENTITIES.get(character) ?? character
  return safe
}

export const NOTHING: Markup = new Markup('')
