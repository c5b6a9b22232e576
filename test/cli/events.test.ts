/** Events as lines for people, and as JSON for programs. */
import { describe, expect, it } from 'vitest'
import { eventJson, eventLine } from '../../src/cli/events.ts'
import type { Event } from '../../src/cli/events.ts'
import { painter } from '../../src/cli/style.ts'
import type { CloseInfo } from '../../src/errors.ts'
import { tapped } from './support.ts'

const people = { paint: painter(false), raw: false }
const programs = { paint: painter(false), raw: true }

function closed(info: Partial<CloseInfo>): Event {
  return { type: 'close', info: { code: 1000, reason: '', wasClean: true, initiator: 'peer', ...info } }
}

describe('eventLine', () => {
  it.each<[Event, string]>([
    [{ type: 'open', peer: 'ws://a', protocol: '', extensions: '' }, 'Connected to ws://a'],
    [
      { type: 'open', peer: 'ws://a', protocol: 'v2', extensions: 'permessage-deflate' },
      'Connected to ws://a, subprotocol v2, permessage-deflate',
    ],
    [
      { type: 'open', connection: 3, peer: '127.0.0.1', target: '/chat', protocol: '', extensions: '' },
      '#3 open from 127.0.0.1 for /chat',
    ],
    [{ type: 'message', data: 'hello' }, '< hello'],
    [{ type: 'message', data: 'two\nlines\u{1b}[2J' }, '< two\n  lines\\u{1b}[2J'],
    [{ type: 'message', data: Buffer.from([1]) }, `< binary, 1 octet\n00000000  01${' '.repeat(48)}|.|`],
    [{ type: 'message', data: Buffer.alloc(0) }, '< binary, 0 octets'],
    [{ type: 'ping', payload: Buffer.from('a') }, 'Ping "a"'],
    [{ type: 'pong', payload: Buffer.alloc(0) }, 'Pong'],
    [{ type: 'pong', payload: Buffer.from('1'), ms: 0.125 }, 'Pong "1", 0.13 ms'],
    [{ type: 'frame', frame: tapped({}) }, '← FIN=1 RSV=000 Text (0x1)         MASK=0 length=0'],
    [{ type: 'error', message: 'It said \u{7}' }, 'It said \\u{7}'],
    [closed({ reason: 'bye' }), 'Closed with 1000 (normal closure) "bye", by the peer'],
    [closed({ code: 1005, initiator: 'local' }), 'Closed without a code, by us'],
    [
      closed({ code: 1006, wasClean: false, initiator: 'network' }),
      'Closed without a Close frame (1006), by the network, not cleanly',
    ],
    [
      closed({ code: 1006, wasClean: false, initiator: 'timeout', cause: new Error('too late') }),
      'Closed without a Close frame (1006), by a deadline, not cleanly: too late',
    ],
  ])('%# tells people', (event, line) => {
    expect(eventLine(event, people)).toBe(line)
  })

  it('leaves messages as they are for other programs', () => {
    expect(eventLine({ type: 'message', data: 'two\nlines\u{1b}' }, programs)).toBe('two\nlines\u{1b}')
    expect(eventLine({ type: 'message', data: Buffer.from([1]) }, programs)).toMatch(/^00000000 {2}01 +\|\.\|$/)
  })

  it('cuts what is too long to be looked at', () => {
    const event: Event = { type: 'message', data: 'hello\nyou' }
    expect(eventLine(event, { ...people, longest: 4 })).toBe('< hell…\n  you')
  })

  it('paints what went well and what did not', () => {
    const view = { paint: painter(true), raw: false }
    expect(eventLine(closed({}), view).startsWith('\u{1b}[32m')).toBe(true)
    expect(eventLine(closed({ wasClean: false }), view).startsWith('\u{1b}[31m')).toBe(true)
    expect(eventLine({ ...closed({}), connection: 7 }, view).startsWith('\u{1b}[35m#7\u{1b}[39m ')).toBe(true)
  })
})

describe('eventJson', () => {
  const frame = tapped({ at: 5, direction: 'out', masked: true, maskingKey: 0x3d_21_fa_37, payload: Buffer.from('Hi') })

  it.each<[Event, object]>([
    [
      { type: 'open', peer: 'ws://a', protocol: 'v2', extensions: '' },
      { type: 'open', peer: 'ws://a', protocol: 'v2', extensions: '' },
    ],
    [
      { type: 'open', connection: 1, peer: '::1', target: '/', protocol: '', extensions: '' },
      { type: 'open', connection: 1, peer: '::1', target: '/', protocol: '', extensions: '' },
    ],
    [
      { type: 'message', data: 'text' },
      { type: 'message', binary: false, data: 'text' },
    ],
    [
      { type: 'message', data: Buffer.from('Hi') },
      { type: 'message', binary: true, data: 'SGk=' },
    ],
    [
      { type: 'ping', payload: Buffer.from('Hi') },
      { type: 'ping', payload: 'SGk=' },
    ],
    [
      { type: 'pong', payload: Buffer.from('Hi') },
      { type: 'pong', payload: 'SGk=' },
    ],
    [
      { type: 'pong', payload: Buffer.from('Hi'), ms: 1.5 },
      { type: 'pong', payload: 'SGk=', ms: 1.5 },
    ],
    [
      { type: 'frame', frame },
      {
        type: 'frame',
        at: 5,
        direction: 'out',
        fin: true,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode: 1,
        masked: true,
        maskingKey: '37fa213d',
        payloadLength: 2,
        payload: 'SGk=',
      },
    ],
    [closed({}), { type: 'close', code: 1000, reason: '', wasClean: true, initiator: 'peer' }],
    [
      { type: 'error', message: 'no', code: 'ERR_WS_X' },
      { type: 'error', code: 'ERR_WS_X', message: 'no' },
    ],
    [
      { type: 'error', message: 'no' },
      { type: 'error', message: 'no' },
    ],
  ])('%# tells programs', (event, value) => {
    expect(JSON.parse(eventJson(event))).toEqual(value)
  })

  it('has null where there is no masking key', () => {
    expect(JSON.parse(eventJson({ type: 'frame', frame: tapped({}) }))).toMatchObject({ maskingKey: null })
  })
})
