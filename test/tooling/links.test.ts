/** Links of the docs that lead nowhere: which ones are looked at, and what is said about the broken ones. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findAnchors, findBrokenLinks, findLinks } from '../../scripts/links.ts'

describe('findLinks', () => {
  it('finds links, images, definitions and the HTML that shows pictures', () => {
    const markdown = [
      '[a](a.md) and [b](<b c.md> "title"), ![c](c.png)',
      '[![badge](d.svg)](e.md)',
      '[name]: f.md',
      '<img alt="g" src="g.png"> <a href="h.md">h</a>',
    ].join('\n')
    expect(findLinks(markdown)).toEqual([
      { line: 1, target: 'b c.md' },
      { line: 1, target: 'a.md' },
      { line: 1, target: 'c.png' },
      { line: 2, target: 'd.svg' },
      { line: 2, target: 'e.md' },
      { line: 3, target: 'f.md' },
      { line: 4, target: 'g.png' },
      { line: 4, target: 'h.md' },
    ])
  })

  it('does not look into code and comments', () => {
    expect(findLinks('`[a](a.md)` ``[`](b.md)`` <!-- [c](c.md) -->\n```md\n[d](d.md)\n```\n')).toEqual([])
  })
})

describe('findAnchors', () => {
  it('names headings as the hosting site does', () => {
    const markdown =
      '# The `send()` call, and *why*\n## A [link](x.md)!\n## Twice\n### Twice ##\n<a id="by-hand"></a>\n'
    expect([...findAnchors(markdown)]).toEqual(['the-send-call-and-why', 'a-link', 'twice', 'twice-1', 'by-hand'])
  })

  it('takes no heading from code', () => {
    expect([...findAnchors('```sh\n# a comment\n```\n')]).toEqual([])
  })
})

describe('findBrokenLinks', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fullduplex-links-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }

  it('accepts files, folders, headings, other sites and the pages of the hosting site', async () => {
    write('docs/a b.md', '# One\n[up](../README.md#two) [here](#one) [folder](.) [spaced](a%20b.md)\n')
    write(
      'README.md',
      '# Two\n[a](docs/a%20b.md#one) [b](https://host/x) [c](mailto:x) [d](../../issues)\n[e](x.ts#L4)\n',
    )
    write('x.ts', '')
    expect(await findBrokenLinks(root)).toEqual([])
  })

  it('leaves alone what others have written', async () => {
    write('bench/node_modules/theirs/README.md', '[a](absent.md)\n')
    expect(await findBrokenLinks(root)).toEqual([])
  })

  it('reports absent files, absent headings and ways out of the repository, with path and line', async () => {
    write(
      'README.md',
      '# Two\n\n[a](absent.md)\n[b](docs/b.md#three)\n[c](#three)\n[d](../outside.md)\n[e](/docs/b.md)\n',
    )
    write('docs/b.md', '# One\n![f](b.png)\n')
    expect(await findBrokenLinks(root)).toEqual([
      'README.md:3: absent.md does not exist',
      'README.md:4: docs/b.md#three names no heading of that file',
      'README.md:5: #three names no heading of that file',
      'README.md:6: ../outside.md leads out of the repository',
      'README.md:7: /docs/b.md leads out of the repository',
      'docs/b.md:2: b.png does not exist',
    ])
  })
})
