/** The wire log of a case as HTML. */
import { describe, expect, it } from 'vitest'
import { logMarkup, shortLogMarkup } from '../../../src/conformance/report/html-log.ts'
import type { LogEntry } from '../../../src/conformance/result.ts'
import { KEY, frame, wire } from '../../support/wire.ts'
import { RESPONSE, badLog, entry, goodLog, result } from './made-up.ts'

function log(entries: readonly LogEntry[], peer: 'client' | 'server' = 'server'): string {
  return logMarkup(result('1.1.1', { log: entries }), peer).text
}

/** What a reader sees of it. */
function textOf(markup: string): string {
  return markup
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll(/\s+/g, ' ')
}

/** How often `part` stands in it. */
function times(markup: string, part: string): number {
  return markup.split(part).length - 1
}

describe('logMarkup', () => {
  it('has a line for each entry, with its time and direction', () => {
    const text = textOf(log(badLog()))
    expect(text).toContain('1.6 ms to server Text, FIN, masked, 13 octets: "Hello, world!"')
    expect(text).toContain('3.5 ms from server Pong, FIN, 0 octets')
    expect(text).toContain('1.004 s note The tester gave up after 1000 ms.')
    expect(text).toContain('1.005 s from server TCP was ended.')
    expect(times(log(badLog()), '<li')).toBe(badLog().length)
  })

  it('explains a frame octet by octet', () => {
    const text = textOf(log([entry('tester', 'frame', { octets: frame(0x81, 'Hello', { key: KEY }) })]))
    expect(text).toContain('0 1··· ···· FIN 1 the message ends with this frame RFC 6455 5.2')
    expect(text).toContain('0 ···· 0001 opcode 0x1 Text RFC 6455 5.2')
    expect(text).toContain('2–5 37 fa 21 3d masking key 37 fa 21 3d')
    expect(text).toContain('6–10 48 65 6c 6c 6f payload data, unmasked "Hello" text in UTF-8 RFC 6455 5.3')
  })

  it('shows payload that is longer as a dump', () => {
    const text = textOf(log([entry('peer', 'frame', { octets: frame(0x82, wire('00 3c 41').toString().repeat(7)) })]))
    expect(text).toContain('2–22 below payload data 21 octets')
    expect(text).toContain('0000 00 3c 41 00 3c 41 00 3c 41 00 3c 41 00 3c 41 00 ·&lt;A·&lt;A·&lt;A·&lt;A·&lt;A·')
    expect(text).toContain('0010 3c 41 00 3c 41 &lt;A·&lt;A')
  })

  it('colours at most 32 octets by their field', () => {
    const markup = log([entry('peer', 'frame', { octets: frame(0x82, Buffer.alloc(40)) })])
    expect(markup).toContain(
      '<span class="first">82</span><span class="second">28</span><span class="payload">00</span>',
    )
    expect(times(markup, '<span class="payload">')).toBe(30)
    expect(markup).toContain('<span class="rest">…</span>')
  })

  it('tells octets behind a frame from it', () => {
    const markup = log([entry('tester', 'frame', { octets: Buffer.concat([frame(0x88, wire('03e8')), wire('aa')]) })])
    expect(markup).toContain('<span class="behind">aa</span>')
    expect(textOf(markup)).toContain('Behind the frame: 0004 aa ·')
  })

  it('says whose fault a wrong frame is', () => {
    const wrong = frame(0x83)
    expect(log([entry('peer', 'frame', { octets: wrong })])).toContain('<em>breaks a rule</em>')
    expect(log([entry('tester', 'frame', { octets: wrong })])).toContain('<em>wrong on purpose</em>')
    expect(log(goodLog())).not.toContain('<em>')
  })

  it('judges masks by the role of the peer', () => {
    const unmasked = entry('peer', 'frame', { octets: frame(0x81) })
    expect(log([unmasked], 'client')).toContain('A client must mask every frame')
    expect(log([unmasked], 'server')).not.toContain('must')
    const masked = entry('tester', 'frame', { octets: frame(0x81, '', { key: KEY }) })
    expect(log([masked], 'client')).toContain('A server must not mask any frame')
  })

  it('knows from the head of the server whether frames may be compressed', () => {
    const compressed = entry('peer', 'frame', { octets: frame(0xc1, wire('00')) })
    const head = (from: LogEntry['from']) =>
      entry(from, 'head', { octets: Buffer.from(`${RESPONSE}Sec-WebSocket-Extensions: Permessage-Deflate\r\n`) })
    expect(log([head('peer'), compressed])).not.toContain('breaks a rule')
    expect(log([head('tester'), compressed])).toContain('No extension that was agreed on')
    expect(
      log([head('tester'), entry('tester', 'frame', { octets: frame(0xc1, wire('00')) })], 'client'),
    ).not.toContain('purpose')
  })

  it('shows the lines of a head, and how each ends', () => {
    const head = entry('peer', 'head', {
      octets: Buffer.from('HTTP/1.1 101 <b>\r\nA: \xff\n\n', 'latin1'),
      length: 5000,
    })
    const markup = log([head])
    expect(markup).toContain('HTTP/1.1 101 &lt;b&gt;<i>CR</i><i>LF</i>\nA: ÿ<i>LF</i>\n<i>LF</i>\n</pre>')
    expect(textOf(markup)).toContain('and 4976 octets more')
  })

  it('shows octets that are no frame', () => {
    expect(textOf(log([entry('peer', 'octets', { octets: Buffer.from('what?') })]))).toContain(
      '0000 77 68 61 74 3f what?',
    )
  })

  it('opens the first and the last entries of a long log only', () => {
    const many = Array.from({ length: 50 }, () => entry('peer', 'frame', { octets: frame(0x8a) }))
    expect(times(log(many), '<details>')).toBe(20)
    expect(times(log(many), '<li')).toBe(50)
    expect(times(log(many.slice(0, 20)), '<details>')).toBe(20)
  })

  it('explains nothing where there is nothing', () => {
    expect(log([entry('peer', 'frame')])).not.toContain('<details>')
  })
})

describe('shortLogMarkup', () => {
  it('has one line for each entry', () => {
    const markup = shortLogMarkup(result('1.1.1'), 'server').text
    expect(times(markup, '<li')).toBe(7)
    expect(markup).not.toContain('<details>')
  })
})
