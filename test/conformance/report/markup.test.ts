/** HTML in which text stays text. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Markup, NOTHING, escapeHtml, html } from '../../../src/conformance/report/markup.ts'

describe('html', () => {
  it('escapes text and keeps markup', () => {
    const bold = html`<b>${'<i>&"\''}</b>`
    expect(bold.text).toBe('<b>&lt;i&gt;&amp;&quot;&#39;</b>')
    expect(html`${bold}${[bold, NOTHING]}${3}`.text).toBe(`${bold.text}${bold.text}3`)
    expect(html`${new Markup('<hr>')}`.text).toBe('<hr>')
  })

  it('makes visible what has no picture', () => {
    expect(html`${'a\n\u202eb'}`.text).toBe(String.raw`a\n\u{202e}b`)
  })

  it('lets nothing out of an element or a quoted attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', 'a', '\u0000', '`') }), (text) => {
        expect(escapeHtml(text)).not.toMatch(/[<>"']/)
        expect(html`<p title="${text}">`.text).toMatch(/^<p title="[^<>"']*">$/)
      }),
    )
  })
})
