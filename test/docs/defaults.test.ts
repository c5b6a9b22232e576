/** The table of defaults in README.md is the one in the code. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { defaults } from 'fullduplex'
import { backoffSettings } from '../../src/client/backoff.ts'
import { HANDSHAKE_TIMEOUT, MAX_PENDING_HANDSHAKES } from '../../src/server/handler.ts'

const clientPage = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8')
const securityPage = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8')
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')

/** A row's cells: what the server and the client have, or in the page about the client the first two. */
function row(option: string, page: string = readme): [server: string, client: string] {
  const line = page.split('\n').find((text) => text.startsWith('|') && text.split('|')[1].includes(`\`${option}\``))
  const [, , server = '', client = ''] = (line ?? '').split('|').map((cell) => cell.trim())
  return [server, client]
}

const KiB = 1024
const MiB = 1024 * KiB

/** As the table writes a value. */
function written(option: string, value: unknown): string {
  if (typeof value === 'string') return `\`'${value}'\``
  if (typeof value === 'object' && value !== null) {
    return Object.values(value)
      .map((time) => `${Number(time) / 1000} s`)
      .join(' + ')
  }
  if (typeof value !== 'number') return 'off'
  if (option.endsWith('Timeout')) return value === 0 ? 'off' : `${value / 1000} s`
  if (value === Infinity) return 'never'
  if (option === 'maxFragments') return value.toLocaleString('en')
  return value >= MiB ? `${value / MiB} MiB` : `${value / KiB} KiB`
}

describe('the table of defaults', () => {
  it.each(Object.keys(defaults.server))('tells the truth about %s', (option) => {
    const server: unknown = Reflect.get(defaults.server, option)
    const client: unknown = Reflect.get(defaults.client, option)
    expect(row(option)).toEqual([written(option, server), written(option, client)])
  })

  it.each([
    ['the README', readme],
    ['docs/security.md', securityPage],
  ])('tells the truth about handshakes in %s', (_, page) => {
    expect(row('handshakeTimeout', page)[0]).toBe(`${HANDSHAKE_TIMEOUT / 1000} s`)
    expect(row('maxPendingHandshakes', page)[0]).toBe(MAX_PENDING_HANDSHAKES.toLocaleString('en'))
  })

  it.each([
    'maxMessageSize',
    'maxFragments',
    'highWaterMark',
    'maxBufferedAmount',
    'closeTimeout',
    'frameTimeout',
    'heartbeat',
    'perMessageDeflate',
    'origins',
    'tls.rejectUnauthorized',
  ])('says the same of %s in docs/security.md', (option) => {
    expect(row(option, securityPage)).toEqual(row(option))
    expect(row(option)[0]).not.toBe('')
  })

  it('tells the truth about reconnecting', () => {
    for (const [option, value] of Object.entries(backoffSettings({}))) {
      const text = option === 'factor' || option === 'jitter' ? String(value) : `${value / 1000} s`
      expect([option, row(option, clientPage)[0]]).toEqual([option, text])
    }
  })
})
