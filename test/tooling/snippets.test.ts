/**
 * The examples of the docs and their source: regions of files, named blocks in Markdown, and what is reported when the two do
 * not agree. The last tests run the whole check on a small project in a temporary folder.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkSnippets, readRegions, refreshSnippets } from '../../scripts/snippets.ts'
import type { Regions } from '../../scripts/snippets.ts'

function text(...lines: readonly string[]): string {
  return lines.join('\n')
}

function regionsOf(...lines: readonly string[]): Regions {
  const regions: Regions = new Map()
  readRegions('file.ts', text(...lines), regions)
  return regions
}

describe('readRegions', () => {
  it('takes the lines between the marks, without the indentation they share and without empty lines around them', () => {
    const regions = regionsOf(
      'it(() => {',
      '  // #region echo',
      '',
      '  if (echo) {',
      '',
      '    send()',
      '  }',
      '  ',
      '  // #endregion',
      '})',
    )
    expect([...regions]).toEqual([['echo', ['if (echo) {', '', '  send()', '}']]])
  })

  it('leaves the marks of an inner region out of the outer one', () => {
    const regions = regionsOf(
      '// #region outer',
      'a',
      '// #region inner',
      'b',
      '// #endregion inner',
      'c',
      '// #endregion',
    )
    expect(regions.get('outer')).toEqual(['a', 'b', 'c'])
    expect(regions.get('inner')).toEqual(['b'])
  })

  it('gives a region without a line no line', () => {
    expect(regionsOf('// #region none', '', '// #endregion').get('none')).toEqual([])
  })

  it.each([
    [
      'a name that is taken',
      ['// #region a', '// #endregion', '// #region a', '// #endregion'],
      'file.ts:3: the region a exists',
    ],
    [
      'a region in itself',
      ['// #region a', '// #region a', '// #endregion', '// #endregion'],
      'file.ts:2: the region a exists',
    ],
    ['a region without a name', ['x', '// #region'], 'file.ts:2: a region without a name'],
    ['an end without a region', ['// #endregion'], 'file.ts:1: an end without a region'],
    ['a region without an end', ['x', '// #region a', 'x'], 'file.ts:2: the region a has no end'],
  ])('refuses %s', (_, lines, message) => {
    expect(() => regionsOf(...lines)).toThrow(message)
  })
})

describe('refreshSnippets', () => {
  const regions: Regions = new Map([['echo', ['if (echo) {', '', '  send()', '}']]])

  it('finds nothing in a block that equals its region', () => {
    const fresh = text(
      '# Title',
      '',
      '<!-- snippet: echo -->',
      '```ts',
      'if (echo) {',
      '',
      '  send()',
      '}',
      '```',
      'end',
      '',
    )
    expect(refreshSnippets('a.md', fresh, regions)).toEqual({ text: fresh, stale: [], problems: [] })
  })

  it('replaces a stale block, keeps everything around it, and is content with what it wrote', () => {
    const old = text('before', '<!-- snippet: echo -->', '', '```ts', 'old', '```', 'after', '')
    const refreshed = refreshSnippets('a.md', old, regions)
    expect(refreshed.stale).toEqual(['a.md:4: echo is stale'])
    expect(refreshed.text).toBe(
      text('before', '<!-- snippet: echo -->', '', '```ts', 'if (echo) {', '', '  send()', '}', '```', 'after', ''),
    )
    expect(refreshSnippets('a.md', refreshed.text, regions)).toEqual({ text: refreshed.text, stale: [], problems: [] })
  })

  it('refreshes several blocks, empty ones and ones in a list, each in its place', () => {
    const old = text(
      '<!-- snippet: echo -->',
      '```ts',
      '```',
      '- item',
      '',
      '  <!-- snippet: echo -->',
      '  ~~~ts',
      '  old',
      '  ~~~',
      'end',
    )
    const { text: fresh, stale } = refreshSnippets('a.md', old, regions)
    expect(stale).toEqual(['a.md:2: echo is stale', 'a.md:7: echo is stale'])
    expect(fresh).toBe(
      text(
        '<!-- snippet: echo -->',
        '```ts',
        'if (echo) {',
        '',
        '  send()',
        '}',
        '```',
        '- item',
        '',
        '  <!-- snippet: echo -->',
        '  ~~~ts',
        '  if (echo) {',
        '',
        '    send()',
        '  }',
        '  ~~~',
        'end',
      ),
    )
  })

  it('notices the difference of one space', () => {
    const old = text('<!-- snippet: echo -->', '```ts', 'if (echo) {', '', '   send()', '}', '```')
    expect(refreshSnippets('a.md', old, regions).stale).toHaveLength(1)
  })

  it.each(['ts', 'typescript', 'js', 'javascript', 'TS'])('reports a block of %s without a source', (language) => {
    const { problems } = refreshSnippets('a.md', text('text', `\`\`\`${language}`, 'code', '```'), regions)
    expect(problems).toEqual([`a.md:2: a ${language.toLowerCase()} block without a source`])
  })

  it('asks no source for other languages and for code inside of a longer fence', () => {
    const markdown = text(
      '```sh',
      'npm start',
      '```',
      '````md',
      '<!-- snippet: absent -->',
      '```ts',
      'code',
      '```',
      '````',
    )
    expect(refreshSnippets('a.md', markdown, regions)).toEqual({ text: markdown, stale: [], problems: [] })
  })

  it('reports a name without a region and a name without a block, and changes neither', () => {
    const markdown = text(
      '<!-- snippet: absent -->',
      '```ts',
      'code',
      '```',
      '<!-- snippet: echo -->',
      'text',
      '```sh',
      '```',
    )
    const { problems, stale, text: same } = refreshSnippets('a.md', markdown, regions)
    expect(problems).toEqual(['a.md:1: there is no region absent', 'a.md:5: no block follows the name echo'])
    expect(stale).toEqual([])
    expect(same).toBe(markdown)
  })
})

describe('checkSnippets', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'fullduplex-snippets-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }

  it('checks the README and the docs against the snippets and the examples, and writes only when asked', async () => {
    write('test/docs/snippets/echo.ts', '// #region echo\necho()\n// #endregion\n')
    write('examples/chat/server.ts', '// #region chat\nchat()\n// #endregion\n')
    write('README.md', '<!-- snippet: echo -->\n```ts\n```\n')
    write('docs/guide/chat.md', '<!-- snippet: chat -->\n```ts\nold\n```\n')
    const stale = ['README.md:2: echo is stale', 'docs/guide/chat.md:2: chat is stale']
    expect(await checkSnippets(root, false)).toEqual(stale)
    expect(await checkSnippets(root, false)).toEqual(stale)
    expect(await checkSnippets(root, true)).toEqual([])
    expect(readFileSync(join(root, 'docs/guide/chat.md'), 'utf8')).toBe('<!-- snippet: chat -->\n```ts\nchat()\n```\n')
    expect(await checkSnippets(root, false)).toEqual([])
  })

  it('reports what writing cannot mend, even when it writes', async () => {
    write('README.md', '```ts\ncode()\n```\n')
    expect(await checkSnippets(root, true)).toEqual(['README.md:1: a ts block without a source'])
  })

  it('refuses one name in two files', async () => {
    write('test/docs/snippets/one.ts', '// #region echo\n// #endregion\n')
    write('test/docs/snippets/two.ts', '// #region echo\n// #endregion\n')
    write('README.md', '')
    await expect(checkSnippets(root, false)).rejects.toThrow('two.ts:1: the region echo exists already')
  })
})
