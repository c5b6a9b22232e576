/** docs/web-platform-tests.md and the tests of this folder name the same files. */
import { readFileSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'

const page = readFileSync(new URL('../../../docs/web-platform-tests.md', import.meta.url), 'utf8')

/** The files that the tests name, each with our files in which they do. */
const named = new Map<string, Set<string>>()
for (const file of readdirSync(import.meta.dirname)) {
  const text = file.endsWith('.test.ts') ? readFileSync(new URL(file, import.meta.url), 'utf8') : ''
  for (const [, name] of text.matchAll(/\bwpt:([\w./-]+\w)/g)) {
    named.set(name, (named.get(name) ?? new Set()).add(file))
  }
}

/** Name, demand, and our test or the reason why there is none. */
const rows = Array.from(page.matchAll(/^\| `([^`]+)` \| (.+) \| (.+) \|$/gm), ([, name, , ours]) => ({ name, ours }))

it('every line of the list has a test of that name, or says why not', () => {
  expect(rows.length).toBeGreaterThan(150)
  for (const { name, ours } of rows) {
    const [, file] = /^\[\w+\]\(\.\.\/test\/client\/wpt\/([\w.]+)\)$/.exec(ours) ?? []
    if (file === undefined) expect(ours).toMatch(/^\*.+\*$/)
    expect(named.get(name)?.has(file ?? '') ?? false, name).toBe(file !== undefined)
  }
})

it('no test names a file that is not in the list, and no line stands there twice', () => {
  const listed = new Set(rows.map(({ name }) => name))
  expect([...named.keys()].filter((name) => !listed.has(name))).toEqual([])
  expect(listed.size).toBe(rows.length)
})
