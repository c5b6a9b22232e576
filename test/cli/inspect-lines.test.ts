/** An inspection as lines, and as JSON. */
import { describe, expect, it } from 'vitest'
import { bitPicture, inspectionJson, inspectionLines } from '../../src/cli/inspect-lines.ts'
import { inspectOctets } from '../../src/cli/inspection.ts'
import type { InspectOptions } from '../../src/cli/inspection.ts'
import { painter } from '../../src/cli/style.ts'

const plain = painter(false)

function lines(octets: string | Buffer, columns?: number, options: InspectOptions = {}): string[] {
  const bytes = typeof octets === 'string' ? Buffer.from(octets.replaceAll(' ', ''), 'hex') : octets
  return inspectionLines(inspectOctets(bytes, options), { paint: plain, columns })
}

describe('inspectionLines', () => {
  it('has a line for each field, with its bits, its section and what it means', () => {
    expect(lines('81 85 37fa213d 7f9f4d5158')).toEqual([
      'Frame 1 at 0: Text, FIN, masked, 5 octets: "Hello"',
      '   at  octets        field           RFC   value and meaning',
      '    0  81 1... ....  FIN             5.2   1  the message ends with this frame',
      '          .0.. ....  RSV1            5.2   0  not set',
      '          ..0. ....  RSV2            5.2   0  not set',
      '          ...0 ....  RSV3            5.2   0  not set',
      '          .... 0001  opcode          5.2   0x1  Text',
      '    1  85 1... ....  MASK            5.2   1  the payload data is masked',
      '          .000 0101  payload length  5.2   5  5 octets',
      '    2  37 fa 21 3d   masking key     5.3   37 fa 21 3d',
      '                                           octet i of the payload data is XORed',
      '                                           with octet i mod 4 of it',
      '    6  7f 9f 4d 51   payload data    5.2   5 octets',
      '       58                                  masked, as it went over the wire',
      '       48 65 6c 6c   unmasked        5.3   "Hello"  text in UTF-8',
      '       6f',
      '',
      '11 octets, 1 frame: no rule is broken.',
    ])
  })

  it('puts what is wrong below the field that is', () => {
    const shown = lines('0900 817e0001', 80, { from: 'client' })
    const at = shown.findIndex((line) => line.includes('FIN '))
    expect(shown[at + 1]).toBe(`${' '.repeat(21)}✗ A control frame must not be fragmented (RFC 6455 5.5).`)
    expect(shown.filter((line) => line.includes('✗'))).toHaveLength(5)
    expect(shown.at(-1)).toBe('6 octets, 2 frames: 4 rules are broken. The end is cut off.')
  })

  it('breaks what is too long for a line', () => {
    const shown = lines('88028fff', 80)
    expect(shown.every((line) => line.length <= 80)).toBe(true)
    const long = lines(Buffer.concat([Buffer.from([0x81, 0x7d]), Buffer.alloc(125, 'word ')]), 80)
    expect(long.every((line) => line.length <= 80)).toBe(true)
  })

  it('shows the first octets of what is long', () => {
    const shown = lines(Buffer.concat([Buffer.from('827e0400', 'hex'), Buffer.alloc(1024)]))
    expect(shown.filter((line) => line.includes('00 00 00 00'))).toHaveLength(8)
    expect(shown).toContain('       + 992')
    expect(shown.some((line) => line.startsWith('    2  04 00         extended length 5.2   1024  1024 octets'))).toBe(
      true,
    )
  })

  it('has a line for the message that ends with a frame, and for what is wrong with the frame as a whole', () => {
    const row = (name: string, text: string): string => `${' '.repeat(21)}${name.padEnd(16)}5.4   ${text}`
    expect(lines('0103 48656c 8002 6c6f')).toContain(row('whole message', '"Hello"  text, 5 octets'))
    expect(lines('0201 01 8001 02')).toContain(row('whole message', '01 02  2 octets'))
    expect(lines('8800 8100')).toContain('       ✗ After a Close frame nothing more is sent (RFC 6455 5.5.1).')
  })

  it('shows cut octets as they are', () => {
    const shown = lines('81')
    expect(shown[0]).toBe('Frame 1 at 0: part of a frame: 81')
    expect(shown).toContain(`${' '.repeat(21)}✗ A frame has at least two octets; this is the first.`)
    expect(shown.at(-1)).toBe('1 octet, 1 frame: no rule is broken. The end is cut off.')
    expect(lines('8105')).toContain(`${' '.repeat(21)}✗ Cut: 0 of 5 octets are there.`)
  })

  it('shows the lines of heads, with what each is for', () => {
    const head = ['GET /chat HTTP/1.1', 'Host: a', 'Upgrade: websocket', `X-Long: ${'x'.repeat(100)}`].join('\r\n')
    expect(lines(Buffer.from(`${head}\r\n\r\n`))).toEqual([
      'Opening handshake, request at 0',
      '    0  GET /chat HTTP/1.1',
      '         method, resource name and version of HTTP (RFC 6455 4.1)',
      '   20  Host: a',
      '         the server that is asked, with its port (RFC 6455 4.1)',
      '   29  Upgrade: websocket',
      '         the protocol to change to (RFC 6455 4.1)',
      `   49  X-Long:`,
      `       ${'x'.repeat(73)}`,
      `       ${'x'.repeat(27)}`,
      '         a field of HTTP (RFC 9110 6.3)',
      String.raw`  159  \r\n`,
      '         an empty line ends the head (RFC 9112 2.1)',
      '       ✗ Connection must be a list of tokens with "Upgrade" in it (RFC 6455',
      '         4.2.1).',
      '',
      '161 octets, 0 frames: 1 rule is broken.',
    ])
    const cut = lines(Buffer.from(head.slice(0, 30)))
    expect(cut).toContain('       ✗ Cut: the empty line that ends a head is missing.')
  })

  it('shows that something follows a response that is no handshake', () => {
    const shown = lines(Buffer.from('HTTP/1.1 404 Not Found\r\n\r\nnothing'))
    expect(shown[0]).toBe('Opening handshake, response at 0')
    expect(shown).toContain('Body at 26: 7 octets')
  })

  it('uses 80 to 120 columns', () => {
    const widest = (columns?: number): number =>
      Math.max(...lines('8185 37fa213d 7f9f4d5158', columns).map((line) => line.length))
    expect(widest(40)).toBe(widest(80))
    expect(widest()).toBe(widest(80))
    expect(widest(200)).toBe(widest(120))
    expect(widest(120)).toBeGreaterThan(80)
  })

  it('has colours where they are wanted', () => {
    const shown = inspectionLines(inspectOctets(Buffer.from('0900', 'hex')), { paint: painter(true) }).join('\n')
    expect(shown).toContain('\u{1b}[31m                     ✗ A control frame must not be fragmented')
  })
})

describe('bitPicture', () => {
  it.each<[number, [number, number], string]>([
    [0x81, [0, 0], '1... ....'],
    [0x81, [4, 7], '.... 0001'],
    [0x85, [1, 7], '.000 0101'],
  ])('of %i at %j is %s', (octet, bits, picture) => {
    expect(bitPicture(octet, bits)).toBe(picture)
  })
})

describe('inspectionJson', () => {
  it('has all that the lines have, octets in hex', () => {
    const octets = Buffer.from('0101c3 8001a9'.replaceAll(' ', ''), 'hex')
    const { parts, ...rest } = JSON.parse(inspectionJson(inspectOctets(octets))) as { parts: object[] }
    expect(rest).toEqual({ octets: 6, mistakes: 0, cut: false })
    expect(parts).toHaveLength(2)
    expect(parts[1]).toMatchObject({ kind: 'frame', start: 3, end: 6, problems: [], message: 'é', text: true })
    expect(parts[0]).toMatchObject({ title: 'Text, 1 octet', fields: expect.arrayContaining([]) })
    expect(parts[0]).not.toHaveProperty('message')
  })

  it('has binary messages in base64, and the first octets of long fields', () => {
    const octets = Buffer.concat([Buffer.from('0200827e0200', 'hex'), Buffer.alloc(512)])
    const inspection = JSON.parse(inspectionJson(inspectOctets(octets))) as {
      parts: { fields: { octets: string }[] }[]
    }
    expect(inspection.parts[1].fields.at(-1)?.octets).toBe('00 '.repeat(256).trim())
    const fragments = inspectOctets(Buffer.from('0201ff8001fe', 'hex'))
    expect(JSON.parse(inspectionJson(fragments))).toMatchObject({ parts: [{}, { message: '//4=', text: false }] })
  })

  it('has heads as they are', () => {
    const inspection = inspectOctets(Buffer.from('HTTP/1.1 404 Not Found\r\n\r\nno'))
    expect(JSON.parse(inspectionJson(inspection))).toMatchObject({ parts: [{ kind: 'response' }, { kind: 'body' }] })
  })
})
